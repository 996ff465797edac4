using System.Reflection;

namespace LinearCald.Testing;

/// <summary>The child process of <see cref="FeatureTestRunner"/>.</summary>
internal static class FeatureTestChild
{
    /// <param name="arguments">Path of the test assembly, full name of the type, name of the static method, <see cref="SimdLevel"/>.</param>
    /// <returns>0 if the method returned; 1 if it threw; 2 if the runtime does not have the level asked for; 64 on a wrong call.</returns>
    public static int Main(string[] arguments)
    {
        if (arguments.Length != 4 || !Enum.TryParse(arguments[3], out SimdLevel level))
        {
            Console.Error.WriteLine("usage: LinearCald.Testing ASSEMBLY TYPE METHOD LEVEL");
            return 64;
        }

        if (SimdLevels.Current != level)
        {
            Console.Error.WriteLine($"The runtime has {SimdLevels.Current}, not {level}: the variable that should force it had no effect.");
            return 2;
        }

        Type type = Assembly.LoadFrom(arguments[0]).GetType(arguments[1], throwOnError: true)!;
        MethodInfo method = type.GetMethod(arguments[2], BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic, [])
            ?? throw new MissingMethodException(arguments[1], arguments[2]);
        try
        {
            method.Invoke(null, BindingFlags.DoNotWrapExceptions, null, null, null);
            return 0;
        }
#pragma warning disable CA1031 // reported through the exit code
        catch (Exception e)
        {
            Console.Error.WriteLine(e);
            return 1;
        }
#pragma warning restore CA1031
    }
}
