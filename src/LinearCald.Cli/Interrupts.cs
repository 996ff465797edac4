using System.Runtime.InteropServices;
using LinearCald.Distillation.Reporting;

namespace LinearCald.Cli;

/// <summary>Turns the first Ctrl+C (or SIGTERM) into a <see cref="StopRequest"/> and lets the second one end the process at once.</summary>
internal sealed class Interrupts : IDisposable
{
    private readonly StopRequest stop;
    private readonly Terminal terminal;
    private readonly PosixSignalRegistration[] registrations;

    public Interrupts(StopRequest stop, Terminal terminal)
    {
        this.stop = stop;
        this.terminal = terminal;
        registrations = [PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal), PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal)];
    }

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in registrations)
            registration.Dispose();
    }

    private void OnSignal(PosixSignalContext context) => context.Cancel = Absorb();

    /// <summary>What a press does. True = it was the first one and the process lives on.</summary>
    internal bool Absorb()
    {
        if (stop.IsRequested)
            return false;
        stop.Request();
        terminal.Say("");
        terminal.Say("stopping after this step; press Ctrl+C again to end at once");
        return true;
    }
}
