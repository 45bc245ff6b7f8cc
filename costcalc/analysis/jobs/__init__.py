"""Work in parts: processes on this machine, or a Dask cluster; what is lost is done again."""
