CREATE TABLE "panel_watches" (
	"name" text PRIMARY KEY NOT NULL,
	"since" timestamp with time zone NOT NULL,
	"looked_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "topup_orders" ADD COLUMN "newer_since" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "market_listings" ADD COLUMN "wanted" boolean DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE "market_sync_items" ADD COLUMN "fresh" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "market_shipments" ADD COLUMN "given_up_at" timestamp with time zone;