ALTER TABLE "topup_orders" ADD COLUMN "told_at" timestamp with time zone;--> statement-breakpoint
-- A note under a word that says that it is not there yet is no token: the next look at the supplier brings it.
UPDATE "topup_orders" SET "sealed_serial" = NULL
WHERE "state" = 'processing' AND "family" <> 'social' AND "sealed_serial" IS NOT NULL;
