-- Days that were moved to Parquet files; written in the transaction that takes their ticks out of the table.
create table archived (
    file varchar not null,
    day date not null,
    rows bigint not null
);

-- What repositories read: the ticks that are here and, from the first archived day on, those in the archive.
create view all_ticks as select * from ticks;
