-- A mail, written in the transaction of its cause and sent by the job 'mail.send': once per dedupe_key.
-- Returns its wake-up, or null when there is nobody to write to or the mail exists.
create or replace function mail_enqueue(template text, recipient text, dedupe_key text, data jsonb)
returns jsonb language plpgsql as $$
begin
  if recipient is null then return null; end if;
  return jobs_enqueue('mail.send', 'mail', 'mail/' || dedupe_key,
    jsonb_build_object('template', template, 'to', recipient, 'data', data));
end $$;
