"""The tables of the settings, a file each. What each field is when nobody says otherwise stands in `default.toml`."""
