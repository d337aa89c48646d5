-- The first record there was: a journal that retains only so many days begins later than at 1.
alter table projection add column first_sequence bigint default 1;
