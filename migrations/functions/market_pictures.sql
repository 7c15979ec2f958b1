-- Where a picture of ours lies: below `/uploads/`, at whatever address the platform answers. It is stored as that path;
-- rows from before hold the address of their day in front of it. Columns of pictures hold our own uploads alone, so what
-- stands before `/uploads/` there was ours.

-- A stored picture as its path; anything else stays as it is.
create or replace function market_picture_path(stored text) returns text language sql immutable parallel safe as $$
  select case when stored like 'http%' then regexp_replace(stored, '^https?://[^/?#]+(/uploads/[^?#]+)$', '\1')
    else stored end
$$;

-- The address of a stored picture below the platform's address of today.
create or replace function market_picture_url(stored text, origin text) returns text
language sql immutable parallel safe as $$
  select case when market_picture_path(stored) like '/uploads/%' then origin || market_picture_path(stored)
    else stored end
$$;
