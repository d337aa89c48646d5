-- What was asked of a broker's charts, and when: how far a fetch is, and what counts against the limit of a day. Written in
-- the transaction of the last candles of the range.
create table fetches (
    symbol varchar not null,
    interval_ns bigint not null,
    start_ns bigint not null,
    end_ns bigint not null,
    asked_ns bigint not null,
    requests bigint not null,
    candles bigint not null
);
