"""Run work in parts: in processes on this machine or on a Dask cluster; lost parts are retried."""
