"""The crossbar's unit, the port to the array of devices, and arrays behind it; `architecture/crossbar.md`."""
