CREATE TABLE "audit_entries" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "audit_entries_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"actor_kind" text NOT NULL,
	"actor_id" bigint,
	"action" text NOT NULL,
	"subject_kind" text NOT NULL,
	"subject_id" text NOT NULL,
	"outcome" text NOT NULL,
	"reason" text,
	"before" jsonb,
	"after" jsonb,
	"request_id" uuid,
	"address" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "audit_entries_actor_kind_known" CHECK ("audit_entries"."actor_kind" in ('user', 'key', 'system')),
	CONSTRAINT "audit_entries_outcome_known" CHECK ("audit_entries"."outcome" in ('done', 'refused'))
);
--> statement-breakpoint
CREATE TABLE "market_shipping_quotes" (
	"buyer_id" bigint NOT NULL,
	"store_id" uuid NOT NULL,
	"destination_area_id" text NOT NULL,
	"weight_gram" integer NOT NULL,
	"origin_area_id" text NOT NULL,
	"rates" jsonb NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	CONSTRAINT "market_shipping_quotes_pkey" PRIMARY KEY("buyer_id","store_id","destination_area_id","weight_gram")
);
--> statement-breakpoint
ALTER TABLE "payments_intents" ADD COLUMN "given_up_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "market_orders" ADD COLUMN "held_after_cancel" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX "audit_entries_subject_idx" ON "audit_entries" USING btree ("subject_kind","subject_id","id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "audit_entries_actor_idx" ON "audit_entries" USING btree ("actor_id","id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "market_shipping_quotes_expires_idx" ON "market_shipping_quotes" USING btree ("expires_at");--> statement-breakpoint
ALTER TABLE "market_orders" ADD CONSTRAINT "market_orders_held_only_cancelled" CHECK ("market_orders"."status" = 'cancelled' or not "market_orders"."held_after_cancel");