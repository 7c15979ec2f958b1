-- Claims a caller's Idempotency-Key in the transaction of the work. Null: do the work (or there is no key).
-- Else the subject of the earlier call with the same input, whose answer is to be given again. A rival with the
-- same key waits here until the first has committed or failed. A key lives 24 hours.
create or replace function http_claim(user_id bigint, key text, operation text, input_hash text, subject_id text)
returns text language plpgsql as $$
declare
  earlier http_idempotency_keys;
begin
  if key is null then return null; end if;
  insert into http_idempotency_keys as k (user_id, key, operation, input_hash, subject_id)
  values (http_claim.user_id, http_claim.key, http_claim.operation, http_claim.input_hash, http_claim.subject_id)
  on conflict on constraint http_idempotency_keys_pkey do update
    set operation = excluded.operation, input_hash = excluded.input_hash, subject_id = excluded.subject_id,
      created_at = now()
    where k.created_at < now() - interval '24 hours';
  if found then return null; end if;

  select * into earlier from http_idempotency_keys k
  where k.user_id = http_claim.user_id and k.key = http_claim.key;
  if (earlier.operation, earlier.input_hash) is distinct from (http_claim.operation, http_claim.input_hash) then
    perform app_error('idempotency_mismatch', 'Idempotency-Key sudah dipakai untuk permintaan lain');
  end if;
  return earlier.subject_id;
end $$;

-- The same with what the caller sent as one value, {user_id, key, input_hash}.
create or replace function http_claim_of(claim jsonb, operation text, subject_id text) returns text language sql as $$
  select http_claim((claim->>'user_id')::bigint, claim->>'key', operation, claim->>'input_hash', subject_id)
$$;
