import type pg from "pg";
import type { Crowd } from "./seed.ts";

/** The original app's tables with the same people and coins, indexed as it would need them. */
export async function seedPeer(client: pg.Client, crowd: Crowd, coins: number): Promise<void> {
  await client.query(
    `create table peer_users (id bigint primary key, name text not null, balance bigint not null);
     create table peer_gifts (id bigserial primary key, sender_id bigint not null, receiver_id bigint not null,
       gift_name text not null, coin_value bigint not null, quantity int not null,
       created_at timestamptz not null default now());
     create index on peer_gifts (receiver_id, created_at);
     create table peer_host_income (id bigserial primary key, host_id bigint not null, gift_id bigint not null,
       income bigint not null, type text not null, created_at timestamptz not null default now());
     create index on peer_host_income (host_id, created_at)`,
  );
  const last = crowd.firstFan + crowd.fans - 1;
  await client.query(
    `insert into peer_users select n, 'Orang ' || n, ${coins} from generate_series(${crowd.firstHost}, ${last}) n`,
  );
}
