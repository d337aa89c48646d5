-- An archived file belongs to one database: its path below the folder `archive` begins with `origin.identity`. Names
-- without it are of older versions, where several databases shared the folder; they are taken over at the next opening.
-- Those versions would read the whole folder again, so they must not open this file.
comment on column archived.file is 'below the folder archive: identity/table-day-number.parquet';
