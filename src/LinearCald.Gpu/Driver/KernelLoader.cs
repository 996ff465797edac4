using System.Text;

namespace LinearCald.Gpu.Driver;

/// <summary>Turns PTX into a loaded function: assembled by the driver once, kept on disk, loaded from there the next time.</summary>
internal sealed unsafe class KernelLoader
{
    private const int LogBytes = 16 << 10;
    private readonly CudaStream _stream;
    private readonly CudaDeviceFacts _facts;
    private readonly List<nint> _modules = [];

    /// <param name="stream">The device.</param>
    /// <param name="facts">What the device is.</param>
    /// <param name="cache">Machine code of earlier runs, or null for none.</param>
    public KernelLoader(CudaStream stream, CudaDeviceFacts facts, CubinCache? cache)
    {
        _stream = stream;
        _facts = facts;
        Cache = cache;
    }

    public CubinCache? Cache { get; }

    /// <summary>The function <paramref name="entry"/> of a module.</summary>
    /// <param name="kernel">For messages.</param>
    /// <param name="ptx">The module's text.</param>
    /// <param name="entry">The function's name within it.</param>
    /// <param name="fromCache">Whether the machine code was on disk.</param>
    /// <exception cref="CaldException">The driver's assembler refuses the text; its log is in the message.</exception>
    public nint Load(string kernel, string ptx, string entry, out bool fromCache)
    {
        using CudaStream.RelaxedCapture relaxed = _stream.Relax();
        nint module = LoadModule(kernel, ptx, out fromCache);
        _modules.Add(module);
        byte[] name = Terminated(entry);
        fixed (byte* p = name)
        {
            CudaResult result = _stream.Driver.Function(module, p, out nint function);
            return result == CudaResult.NotFound
                ? throw new CaldException($"kernel {kernel}: its PTX has no entry named {entry}")
                : Checked(result, function, $"loading kernel {kernel}");
        }
    }

    /// <summary>Unloads every module.</summary>
    public void Unload()
    {
        foreach (nint module in _modules)
        {
            _stream.Driver.UnloadModule(module);
        }

        _modules.Clear();
    }

    private nint LoadModule(string kernel, string ptx, out bool fromCache)
    {
        fromCache = false;
        if (Cache is null)
        {
            return LoadText(kernel, ptx);
        }

        string key = CubinCache.Key(ptx, _facts.Driver, _facts.Limits.Capability);
        if (Cache.Read(key) is { } kept)
        {
            if (LoadImage(kept, out nint module))
            {
                fromCache = true;
                return module;
            }

            // Intact on disk but not to this driver's liking: assemble anew.
            Cache.Remove(key);
        }

        if (Assemble(ptx) is { } image && LoadImage(image, out nint assembled))
        {
            Cache.Write(key, image);
            return assembled;
        }

        // Loading the text tells why it cannot be assembled; should it work after all, the driver has a cache of its own.
        return LoadText(kernel, ptx);
    }

    private bool LoadImage(byte[] image, out nint module)
    {
        fixed (byte* p = image)
        {
            CudaResult result = _stream.Driver.LoadModule(p, 0, null, null, out module);
            if (result.IsKernelFault() || result.IsDeviceLost())
            {
                throw _stream.Failure(result, "loading a kernel");
            }

            return result == CudaResult.Success;
        }
    }

    /// <summary>Machine code for this device, or null when the driver's linker does not make it.</summary>
    private byte[]? Assemble(string ptx)
    {
        // No options are given, so nothing must outlive the linker.
        if (_stream.Driver.CreateLinker(0, null, null, out nint linker) != CudaResult.Success)
        {
            return null;
        }

        try
        {
            byte[] text = Terminated(ptx);
            fixed (byte* p = text)
            {
                fixed (byte* name = "kernel.ptx\0"u8)
                {
                    if (_stream.Driver.AddPtx(linker, p, (nuint)text.Length, name) != CudaResult.Success ||
                        _stream.Driver.CompleteLink(linker, out nint image, out nuint bytes) != CudaResult.Success)
                    {
                        return null;
                    }

                    return new ReadOnlySpan<byte>((void*)image, checked((int)bytes)).ToArray();
                }
            }
        }
        finally
        {
            _stream.Driver.DestroyLinker(linker);
        }
    }

    private nint LoadText(string kernel, string ptx)
    {
        byte[] text = Terminated(ptx);
        byte[] info = new byte[LogBytes];
        byte[] error = new byte[LogBytes];
        fixed (byte* pText = text, pInfo = info, pError = error)
        {
            const int Options = 5;
            AssemblerOption* names = stackalloc AssemblerOption[Options]
            {
                AssemblerOption.InfoLog, AssemblerOption.InfoLogBytes, AssemblerOption.ErrorLog, AssemblerOption.ErrorLogBytes, AssemblerOption.LogVerbose,
            };

            // Values travel in the pointer slots themselves.
            void** values = stackalloc void*[Options];
            values[0] = pInfo;
            values[1] = (void*)LogBytes;
            values[2] = pError;
            values[3] = (void*)LogBytes;
            values[4] = (void*)1;
            CudaResult result = _stream.Driver.LoadModule(pText, Options, names, values, out nint module);
            if (result.IsKernelFault() || result.IsDeviceLost())
            {
                throw _stream.Failure(result, $"loading kernel {kernel}");
            }

            return result == CudaResult.Success
                ? module
                : throw new CaldException(
                    $"kernel {kernel}: the assembler of driver {_facts.Driver} refuses its PTX with {CudaStream.Describe(_stream.Driver, result)}{Log("error", error)}{Log("info", info)}");
        }
    }

    private static string Log(string title, byte[] bytes)
    {
        int length = Array.IndexOf(bytes, (byte)0);
        string text = Encoding.UTF8.GetString(bytes, 0, length < 0 ? bytes.Length : length).Trim();
        return text.Length == 0 ? "" : $"\n{title} log: {text}";
    }

    private static byte[] Terminated(string text)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetByteCount(text) + 1];
        Encoding.UTF8.GetBytes(text, bytes);
        return bytes;
    }

    private nint Checked(CudaResult result, nint value, string doing)
    {
        _stream.Check(result, doing);
        return value;
    }
}
