ALTER TABLE "topup_hand_requests" ADD COLUMN "known_trxid" text;--> statement-breakpoint
ALTER TABLE "topup_orders" ADD COLUMN "answered_trxid" text;--> statement-breakpoint
-- A token that the supplier showed before its word of success was kept here in the clear; what a person has said stays.
UPDATE "topup_orders" o SET "supplier_note" = NULL
WHERE o."family" <> 'social' AND o."state" IN ('processing', 'success', 'partial') AND o."supplier_note" IS NOT NULL
  AND NOT EXISTS (SELECT FROM "topup_hand_requests" h WHERE h."order_id" = o."id" AND h."state" = 'done');
