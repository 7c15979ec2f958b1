CREATE TABLE "live_session_guests" (
	"session_id" bigint NOT NULL,
	"guest" uuid NOT NULL,
	CONSTRAINT "live_session_guests_pkey" PRIMARY KEY("session_id","guest")
);
--> statement-breakpoint
ALTER TABLE "live_sessions" ADD COLUMN "is_unheard" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "topup_orders" ADD COLUMN "answered_since" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "topup_orders" ADD COLUMN "answered_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "market_products" ADD COLUMN "stock_counts" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "market_sync_runs" ADD COLUMN "ended_total" integer;--> statement-breakpoint
ALTER TABLE "market_sync_runs" ADD COLUMN "ended_synced" integer;--> statement-breakpoint
ALTER TABLE "market_sync_runs" ADD COLUMN "ended_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "market_sync_runs" ADD COLUMN "ended_reason" text;--> statement-breakpoint
ALTER TABLE "live_session_guests" ADD CONSTRAINT "live_session_guests_session_id_live_sessions_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."live_sessions"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "live_sessions_unheard_idx" ON "live_sessions" USING btree ("end_time") WHERE "live_sessions"."is_unheard";--> statement-breakpoint
CREATE INDEX "topup_orders_review_idx" ON "topup_orders" USING btree ("id" DESC NULLS FIRST) WHERE "topup_orders"."review_reason" is not null;--> statement-breakpoint
CREATE INDEX "market_channel_lines_held_idx" ON "market_channel_lines" USING btree ("channel_order_id") WHERE "market_channel_lines"."held" > 0;--> statement-breakpoint
CREATE INDEX "market_shipments_quiet_idx" ON "market_shipments" USING btree ("updated_at") WHERE "market_shipments"."requested_at" is not null and "market_shipments"."kiriminaja_order_id" is not null and "market_shipments"."given_up_at" is null and "market_shipments"."status" in ('pending', 'picked_up', 'in_transit', 'failed');