CREATE TABLE "payments_histories" (
	"account" text PRIMARY KEY NOT NULL,
	"floor" bigint DEFAULT 0 NOT NULL,
	"page" integer DEFAULT 1 NOT NULL,
	"top" bigint,
	"began_at" timestamp with time zone,
	"read_until" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "payments_sightings" (
	"charge_id" uuid NOT NULL,
	"transaction_id" text NOT NULL,
	"state" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "payments_sightings_charge_id_transaction_id_pk" PRIMARY KEY("charge_id","transaction_id")
);
--> statement-breakpoint
ALTER TABLE "live_fan_week_heads" DISABLE ROW LEVEL SECURITY;--> statement-breakpoint
DROP TABLE "live_fan_week_heads" CASCADE;--> statement-breakpoint
ALTER TABLE "topup_services" ADD COLUMN "held_price" bigint;--> statement-breakpoint
ALTER TABLE "topup_orders" ADD COLUMN "target_kind" text;--> statement-breakpoint
ALTER TABLE "payments_sightings" ADD CONSTRAINT "payments_sightings_charge_id_payments_charges_id_fk" FOREIGN KEY ("charge_id") REFERENCES "public"."payments_charges"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "market_orders_created_idx" ON "market_orders" USING btree ("created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);