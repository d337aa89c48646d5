"""Settings: typed, frozen, from files, environment and command line; secrets; the data directory; the container."""
