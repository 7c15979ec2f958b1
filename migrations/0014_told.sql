ALTER TABLE "topup_orders" ADD COLUMN "matched_at" timestamp with time zone;--> statement-breakpoint
-- What was in doubt may have been found in the lists before this was kept.
UPDATE "topup_orders" o SET "matched_at" = o."bought_at"
WHERE o."id" >= (lpad(to_hex((extract(epoch from now() - interval '2 days') * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid
  AND o."trxid" IS NOT NULL AND o."bought_at" IS NOT NULL
  AND EXISTS (SELECT FROM "topup_order_events" e WHERE e."order_id" = o."id" AND e."state" = 'unknown');
