CREATE TABLE "topup_supplier_asks" (
	"trxid" text NOT NULL,
	"asked_at" timestamp with time zone NOT NULL,
	"next_at" timestamp with time zone NOT NULL,
	"answered_at" timestamp with time zone,
	"answer" text,
	CONSTRAINT "topup_supplier_asks_pkey" PRIMARY KEY("trxid"),
	CONSTRAINT "topup_supplier_asks_answer_known" CHECK ("topup_supplier_asks"."answer" in ('told', 'denied') and ("topup_supplier_asks"."answer" is null) = ("topup_supplier_asks"."answered_at" is null))
);
--> statement-breakpoint
ALTER TABLE "topup_webhook_endpoints" ADD COLUMN "took_ms" integer;--> statement-breakpoint
ALTER TABLE "topup_webhook_endpoints" ADD COLUMN "rests_until" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "topup_webhook_endpoints" ADD COLUMN "holds_until" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "topup_supplier_asks_asked_idx" ON "topup_supplier_asks" USING btree ("asked_at");