-- Order books and day summaries move to a table of their own: a tick without them is written twice as fast into eight
-- columns as into forty-seven, and one with them as fast as before.

-- The views of a file with archived days read files that hold the wide rows.
select error('days were archived by a version before books had a table of their own') from archived;

create table books (
    source varchar not null,
    sequence bigint not null,
    symbol varchar not null,
    exchange_ns bigint not null,
    open_price double,
    high_price double,
    low_price double,
    close_price double,
    average_price double,
    total_buy_quantity bigint,
    total_sell_quantity bigint,
    open_interest bigint,
    bid_price_1 double,
    bid_quantity_1 bigint,
    bid_orders_1 bigint,
    bid_price_2 double,
    bid_quantity_2 bigint,
    bid_orders_2 bigint,
    bid_price_3 double,
    bid_quantity_3 bigint,
    bid_orders_3 bigint,
    bid_price_4 double,
    bid_quantity_4 bigint,
    bid_orders_4 bigint,
    bid_price_5 double,
    bid_quantity_5 bigint,
    bid_orders_5 bigint,
    ask_price_1 double,
    ask_quantity_1 bigint,
    ask_orders_1 bigint,
    ask_price_2 double,
    ask_quantity_2 bigint,
    ask_orders_2 bigint,
    ask_price_3 double,
    ask_quantity_3 bigint,
    ask_orders_3 bigint,
    ask_price_4 double,
    ask_quantity_4 bigint,
    ask_orders_4 bigint,
    ask_price_5 double,
    ask_quantity_5 bigint,
    ask_orders_5 bigint,
    -- The whole order book as the codec writes it, only where it is deeper than five levels.
    deep_book blob
);

insert into books by name
select source, sequence, symbol, exchange_ns, open_price,
    high_price, low_price, close_price, average_price, total_buy_quantity, total_sell_quantity, open_interest,
    columns('(bid|ask)_(price|quantity|orders)_[1-5]'), deep_book
from ticks
where coalesce(open_price, bid_price_1, ask_price_1) is not null or deep_book is not null;

drop view ticks_utc;
drop view all_ticks;
alter table ticks rename to wide_ticks;

create table ticks (
    source varchar not null,
    sequence bigint not null,
    symbol varchar not null,
    exchange_ns bigint not null,
    received_ns bigint not null,
    price double not null,
    quantity bigint not null,
    volume bigint not null
);

insert into ticks select source, sequence, symbol, exchange_ns, received_ns, price, quantity, volume from wide_ticks;
drop table wide_ticks;

create view ticks_utc as
select make_timestamp_ns(exchange_ns) as exchange_time, make_timestamp_ns(received_ns) as received_time, * from ticks;

-- What repositories read: what is here and, from the first archived day on, what is in the archive.
create view all_ticks as select * from ticks;
create view all_books as select * from books;

-- Ticks with their books, where they have one.
create view full_ticks as
select all_ticks.*, all_books.* exclude (source, sequence, symbol, exchange_ns)
from all_ticks left join all_books using (symbol, exchange_ns, source, sequence);
