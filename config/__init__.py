"""Settings: typed, frozen, from files, environment and command line; secrets; and the data directory."""
