using System.Diagnostics;
using System.Reflection;
using Xunit;
using Xunit.Sdk;

namespace LinearCald.TestRunner;

internal enum TestKind
{
    Passed,
    Failed,
    Skipped,
}

/// <summary>How a test ended.</summary>
internal readonly record struct TestOutcome(TestKind Kind, string Message, double Seconds);

/// <summary>A fact, or one row of a theory. Classes are made anew for each; class fixtures once.</summary>
internal sealed class TestCase
{
    private static readonly Dictionary<Type, object> Fixtures = [];
    private readonly MethodInfo _method;
    private readonly object?[] _arguments;
    private readonly string? _skip;

    private TestCase(MethodInfo method, object?[] arguments, string? skip)
    {
        _method = method;
        _arguments = arguments;
        _skip = skip;
        Name = $"{method.DeclaringType!.FullName}.{method.Name}" + (arguments.Length > 0 ? $"({string.Join(", ", arguments)})" : "");
    }

    /// <summary>Type, method and arguments.</summary>
    public string Name { get; }

    /// <summary>All tests of an assembly.</summary>
    public static IEnumerable<TestCase> Find(Assembly assembly)
    {
        foreach (Type type in assembly.GetTypes().Where(t => t is { IsClass: true, IsAbstract: false, IsGenericTypeDefinition: false }))
        {
            foreach (MethodInfo method in type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static))
            {
                if (method.GetCustomAttribute<FactAttribute>() is not { } fact)
                {
                    continue;
                }

                DataAttribute[] data = [.. method.GetCustomAttributes<DataAttribute>()];
                IEnumerable<object?[]> rows = fact is TheoryAttribute ? data.SelectMany(d => d.GetData(method)) : [[]];
                foreach (object?[] row in rows)
                {
                    yield return new TestCase(method, row, fact.Skip);
                }
            }
        }
    }

    /// <summary>Runs it on this thread.</summary>
    /// <param name="marked">Also when it is marked as skipped.</param>
    public TestOutcome Run(bool marked)
    {
        if (_skip is not null && !marked)
        {
            return new TestOutcome(TestKind.Skipped, _skip, 0);
        }

        long start = Stopwatch.GetTimestamp();
        try
        {
            object? instance = _method.IsStatic ? null : Create(_method.DeclaringType!);
            if (_method.Invoke(instance, _arguments) is Task task)
            {
                task.GetAwaiter().GetResult();
            }

            (instance as IDisposable)?.Dispose();
            return new TestOutcome(TestKind.Passed, "", Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        catch (Exception e)
        {
            Exception cause = e is TargetInvocationException { InnerException: { } inner } ? inner : e;
            return new TestOutcome(TestKind.Failed, cause.ToString(), Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
    }

    private static object Create(Type type)
    {
        ConstructorInfo constructor = type.GetConstructors().Single();
        return constructor.Invoke([.. constructor.GetParameters().Select(p => Fixture(p.ParameterType))]);
    }

    private static object Fixture(Type type)
    {
        if (!Fixtures.TryGetValue(type, out object? fixture))
        {
            Fixtures.Add(type, fixture = Activator.CreateInstance(type)!);
        }

        return fixture;
    }
}
