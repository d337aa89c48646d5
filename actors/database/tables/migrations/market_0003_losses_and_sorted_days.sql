-- Which file this is, and how many batches of candles it holds: with `recorded` it tells how far the file is.
create table origin (
    identity varchar not null,
    candle_batches bigint not null
);
insert into origin values (uuid()::varchar, 0);

-- Each time that the file was found to hold less than it once held (a deleted write-ahead log, an older copy).
create table losses (
    found_ns bigint not null,
    what varchar not null,
    identity varchar not null
);

-- Closed days whose ticks lie in the order of symbol and time, and how many those are.
create table sorted_days (
    day date not null,
    rows bigint not null
);
