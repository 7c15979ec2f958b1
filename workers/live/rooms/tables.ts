/** Numbered by their place; append only. */
export const ROOM_TABLES = [
  `create table members (socket text primary key, shard text not null, person text not null, user_id integer,
     name text not null, avatar text, level integer not null, vip integer not null, seat integer) without rowid;
   create table shards (name text primary key, until integer not null) without rowid;
   create table messages (slot integer primary key, seq integer not null, at integer not null, json text not null);
   create table gifts (key text primary key, at integer not null, attempts integer not null, shard text not null,
     socket text not null, wish text not null) without rowid;
   create table lives (host_id integer primary key, session_id integer not null, started_at integer not null,
     seen_at integer, renewed_at integer not null) without rowid`,
  `drop table messages;
    create table chat (one integer primary key check (one = 1), last_at integer not null, list text not null)`,
  `alter table gifts add column askers text not null default '[]';
   update gifts set askers = json_array(json_object('shard', shard, 'socket', socket, 'ask', ''));
   alter table gifts drop column shard;
   alter table gifts drop column socket`,
  `alter table members add column address text;
   alter table lives add column address text;
   alter table lives add column is_verified integer not null default 1`,
  `alter table shards add column present_until integer not null default 0;
   update shards set present_until = until`,
  `create table visitors (person text primary key, n integer not null) without rowid;
   create table last_words (part integer primary key, session_id integer not null, people text not null);
   alter table lives add column told_to integer not null default 0;
   alter table lives add column host_name text not null default '';
   alter table lives add column stand_in text;
   alter table lives add column is_greeted integer not null default 0`,
  "create table said (one integer primary key check (one = 1), last integer not null, is_speaking integer not null)",
  "create table shown_gifts (one integer primary key check (one = 1), up_to integer not null, ids text not null)",
  "alter table gifts drop column attempts",
  `alter table members add column line text;
    alter table members add column is_named integer not null default 0;
    alter table members add column since integer not null default 0;
    alter table lives add column bound text;
    update lives set bound = (select json_object('socket', m.socket, 'pid', null, 'visitor', m.person, 'name', m.name,
      'number', null, 'isNamed', json('true'), 'hasLeft', json('false')) from members m where m.person = lives.stand_in limit 1);
    alter table lives drop column stand_in`,
  // Whose secret is not known cannot be followed: a live of before is its host's who comes next, as at its start.
  `update lives set bound = null where bound ->> 'pid' is null;
    update members set is_named = 1 where user_id is null and line is null and person not like 'g:#%'`,
];
