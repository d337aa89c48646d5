"""Settings and what belongs to the user's machine.

settings, sections/     the typed settings; their defaults are in `default.toml` alone
urls                    which URLs of services are accepted
confirmation            the limits that must be repeated before real money is traded
loader, layers, keys    from TOML files, credentials, environment and command line to one frozen `Settings`
values                  how a value is checked, and how an error names what is wrong
credentials             secrets that systemd passes to a service
secret_folder           secrets that are kept beside the data; secret_files: what a file with one may be;
                        private_files: files that their user alone may open
in_force                the settings of a running system, and which of them may change
show, errors, secrets   settings for people and programs, problems with them, values that are never shown
data_directory, locks   one process at a time owns a data directory
halt_file               the file that halts everything while it is there
heartbeat               the file by which a process says that it works
files, forks            creating and moving files without losing any; what a forked process must close
sightings               which file is at a path, looked up without waiting for other threads
engine_paths            paths at which DuckDB can have a database
options                 options of a broker or market data source, which it checks itself
container               a dependency container that knows nothing of natya
"""
