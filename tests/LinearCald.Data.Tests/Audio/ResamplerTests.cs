using FsCheck;
using FsCheck.Fluent;
using LinearCald.Data.Audio;
using LinearCald.Data.Audio.Files;
using LinearCald.Data.Audio.Resampling;

namespace LinearCald.Data.Tests.Audio;

public class ResamplerTests
{
    private const double PassBand = 1 - ResamplingFilter.Transition;

    /// <summary>What the docs promise of the pass band and of aliases, in dB relative to the sine.</summary>
    private const double Promised = -96;

    private static Gen<(int From, int To)> Rates =>
        from pair in Gen.OneOf(
            Gen.Elements((8000, 16000), (11025, 16000), (16000, 8000), (22050, 16000), (24000, 16000), (32000, 16000), (44100, 16000), (48000, 16000), (96000, 16000), (16000, 44100)),
            Gen.Choose(4000, 60000).Two().Select(pair => (pair.Item1, pair.Item2)))
        where pair.Item1 != pair.Item2
        select pair;

    [Fact]
    public void Sines_in_the_pass_band_come_out_as_sines()
    {
        var cases = from rates in Rates from part in Gen.Choose(0, 1000) from phase in Gen.Choose(0, 628) select (rates, part, phase);
        Prop.ForAll(cases.ToArbitrary(), c =>
        {
            double hertz = c.part / 1000.0 * PassBand * Math.Min(c.rates.From, c.rates.To) / 2, phase = c.phase / 100.0;
            float[] y = Resampler.Resample(Sine(hertz, phase, c.rates.From), c.rates.From, c.rates.To);
            double worst = 0;
            foreach (int n in Interior(y.Length, c.rates))
            {
                worst = Math.Max(worst, Math.Abs(y[n] - Math.Sin((2 * Math.PI * hertz * n / c.rates.To) + phase)));
            }

            Assert.True(Decibels(worst) < Promised, $"{c.rates}, {hertz} Hz: error {Decibels(worst):F1} dB");
        }).Holds(120);
    }

    [Fact]
    public void Sines_beyond_the_new_Nyquist_frequency_vanish()
    {
        var cases =
            from rates in Rates
            where rates.To < rates.From
            from part in Gen.Choose(0, 1000)
            select (rates, part);
        Prop.ForAll(cases.ToArbitrary(), c =>
        {
            double nyquist = c.rates.To / 2.0, hertz = nyquist + (c.part / 1000.0 * ((c.rates.From / 2.0) - nyquist));
            float[] y = Resampler.Resample(Sine(hertz, 0.3, c.rates.From), c.rates.From, c.rates.To);
            double worst = Interior(y.Length, c.rates).Max(n => Math.Abs((double)y[n]));
            Assert.True(Decibels(worst) < Promised, $"{c.rates}, {hertz} Hz: {Decibels(worst):F1} dB are left");
        }).Holds(120);
    }

    [Fact]
    public void Constants_pass_and_the_length_is_exact()
    {
        var cases = from rates in Rates from length in Gen.Choose(0, 3000) select (rates, length);
        Prop.ForAll(cases.ToArbitrary(), c =>
        {
            float[] y = Resampler.Resample(Enumerable.Repeat(0.75f, c.length).ToArray(), c.rates.From, c.rates.To);
            Assert.Equal((((long)c.length * c.rates.To) + c.rates.From - 1) / c.rates.From, y.Length);
            Assert.All(Interior(y.Length, c.rates), n => Assert.Equal(0.75f, y[n], 2e-6f));
        }).Holds(100);
        Assert.Equal([1, 2, 3], Resampler.Resample([1, 2, 3], 44100, 44100));
    }

    [Fact]
    public void In_blocks_it_gives_the_same_bits()
    {
        var cases =
            from rates in Rates
            from samples in Gen.Choose(-1000, 1000).Select(x => x / 1000f).ArrayOf().Resize(3000)
            from cuts in Gen.Choose(1, 700).ListOf()
            select (rates, samples, cuts);
        Prop.ForAll(cases.ToArbitrary(), c =>
        {
            SampleCollector collector = new("test", null, certain: false);
            StreamingResampler resampler = new(ResamplingFilter.For(c.rates.From, c.rates.To), collector);
            int at = 0;
            foreach (int cut in c.cuts.Append(c.samples.Length))
            {
                int count = Math.Min(cut, c.samples.Length - at);
                resampler.Add(c.samples.AsSpan(at, count));
                at += count;
            }

            resampler.Finish();
            Assert.Equal(Resampler.Resample(c.samples, c.rates.From, c.rates.To), collector.ToArray());
        }).Holds(60);
    }

    [Theory]
    [InlineData(0, 16000)]
    [InlineData(16000, -1)]
    [InlineData(int.MaxValue, 1)]
    public void Impossible_rates_are_refused(int from, int to) =>
        Assert.Contains($"from {from} to {to} Hz", Assert.Throws<CaldException>(() => Resampler.Resample([1, 2], from, to)).Message);

    [Fact]
    public void Normalised_waves_have_mean_0_and_variance_1()
    {
        float[] x = [.. Enumerable.Range(0, 1000).Select(i => 5 + (0.01f * MathF.Sin(i)))];
        double mean = x.Average(v => (double)v), variance = x.Average(v => (v - mean) * (v - mean));
        float[] expected = [.. x.Select(v => (float)((v - mean) / Math.Sqrt(variance + 1e-7)))];
        Waveform.Normalise(x);
        Assert.All(Enumerable.Range(0, 1000), i => Assert.Equal(expected[i], x[i], 1e-5f));
        float[] silence = new float[10];
        Waveform.Normalise(silence);
        Assert.All(silence, v => Assert.Equal(0, v));
        Waveform.Normalise([]);
    }

    private static float[] Sine(double hertz, double phase, int rate) =>
        [.. Enumerable.Range(0, 4000).Select(j => (float)Math.Sin((2 * Math.PI * hertz * j / rate) + phase))];

    /// <summary>Outputs that see no edge.</summary>
    private static IEnumerable<int> Interior(int outputs, (int From, int To) rates)
    {
        int edge = (int)((ResamplingFilter.For(rates.From, rates.To).HalfTaps + 1L) * rates.To / rates.From) + 1;
        return Enumerable.Range(edge, Math.Max(0, outputs - (2 * edge)));
    }

    private static double Decibels(double amplitude) => 20 * Math.Log10(amplitude + 1e-30);
}
