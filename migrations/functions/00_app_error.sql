-- Raises a failure that its reader may see: `code` is one of shared/http/errors.ts, `words` the message,
-- `meta` the extra keys. shared/db/errors.ts turns it into an AppError. Everything done so far is undone.
create or replace function app_error(code text, words text, meta jsonb default '{}')
returns void language plpgsql as $$
begin
  raise exception using errcode = 'LB001', message = words, hint = code, detail = meta::text;
end $$;
