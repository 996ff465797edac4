using LinearCald.Nn.Files;

namespace LinearCald.Nn.Tests.Files;

/// <summary>The program that <see cref="RunLockTests"/> starts and kills: takes the lock of the folder named, says so, and waits.</summary>
internal static class LockHolder
{
    public static int Main(string[] arguments)
    {
        using RunLock held = RunLock.Acquire(arguments[0]);
        Console.WriteLine("held");
        Thread.Sleep(TimeSpan.FromMinutes(1));
        return 0;
    }
}
