global using LinearCald.Gpu;
