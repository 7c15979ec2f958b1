CREATE INDEX "topup_orders_answered_idx" ON "topup_orders" USING btree ("answered_trxid") WHERE "topup_orders"."answered_trxid" is not null;--> statement-breakpoint
-- A note under a word that says that it is not there yet is no token: the next look at the supplier brings it.
UPDATE "topup_orders" SET "sealed_serial" = NULL
WHERE "state" = 'processing' AND "family" <> 'social' AND "sealed_serial" IS NOT NULL;
