-- Whether new orders are taken at all; raises 'unavailable' while the supplier's balance is below the floor. Every order
-- passes it in the transaction that pays for it.
create or replace function topup_require_open() returns void language plpgsql stable as $$
begin
  if exists (select from topup_supplier_state s where s.held_since is not null) then
    perform app_error('unavailable', 'New orders are paused for a moment. Please try again later.');
  end if;
end $$;
