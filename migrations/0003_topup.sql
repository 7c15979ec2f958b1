CREATE TABLE "topup_hand_requests" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"order_id" uuid NOT NULL,
	"action" text NOT NULL,
	"input" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"reason" text NOT NULL,
	"needs_second" boolean NOT NULL,
	"state" text NOT NULL,
	"requested_by" bigint NOT NULL,
	"decided_by" bigint,
	"decided_at" timestamp with time zone,
	"outcome" text,
	"expires_at" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "topup_hand_requests_action_known" CHECK ("topup_hand_requests"."action" in ('success', 'failed', 'partial', 'refunded', 'retry')),
	CONSTRAINT "topup_hand_requests_state_known" CHECK ("topup_hand_requests"."state" in ('waiting', 'confirmed', 'done', 'refused', 'rejected', 'expired')),
	CONSTRAINT "topup_hand_requests_two_persons" CHECK (not "topup_hand_requests"."needs_second" or "topup_hand_requests"."state" in ('waiting', 'rejected', 'expired') or "topup_hand_requests"."decided_by" <> "topup_hand_requests"."requested_by")
);
--> statement-breakpoint
CREATE TABLE "topup_reconciled_strays" (
	"trxid" text PRIMARY KEY NOT NULL,
	"day" date NOT NULL
);
--> statement-breakpoint
CREATE TABLE "topup_reconciliations" (
	"day" date PRIMARY KEY NOT NULL,
	"orders" integer NOT NULL,
	"matched" integer NOT NULL,
	"missing_there" jsonb NOT NULL,
	"missing_here" jsonb NOT NULL,
	"price_differences" jsonb NOT NULL,
	"state_differences" jsonb NOT NULL,
	"expected_balance" bigint,
	"balance" bigint NOT NULL,
	"balance_at" timestamp with time zone NOT NULL,
	"clean" boolean NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "topup_stock_alerts" (
	"service_id" uuid NOT NULL,
	"day" date NOT NULL,
	CONSTRAINT "topup_stock_alerts_pkey" PRIMARY KEY("day","service_id")
);
--> statement-breakpoint
CREATE TABLE "topup_supplier_state" (
	"provider" text PRIMARY KEY NOT NULL,
	"balance" bigint NOT NULL,
	"floor" bigint NOT NULL,
	"checked_at" timestamp with time zone NOT NULL,
	"held_since" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "topup_lookups" (
	"user_id" bigint PRIMARY KEY NOT NULL,
	"window_started_at" timestamp with time zone DEFAULT now() NOT NULL,
	"count" integer DEFAULT 1 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "topup_margin_rules" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"family" text,
	"brand" text,
	"member_level" text,
	"percent_bp" integer DEFAULT 0 NOT NULL,
	"fixed" bigint DEFAULT 0 NOT NULL,
	"active" boolean DEFAULT true NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "topup_margin_rules_scope_key" UNIQUE NULLS NOT DISTINCT("family","brand","member_level"),
	CONSTRAINT "topup_margin_rules_family_known" CHECK ("topup_margin_rules"."family" is null or "topup_margin_rules"."family" in ('prepaid', 'game', 'social')),
	CONSTRAINT "topup_margin_rules_level_known" CHECK ("topup_margin_rules"."member_level" is null or "topup_margin_rules"."member_level" in ('member', 'reseller', 'agent')),
	CONSTRAINT "topup_margin_rules_bounds" CHECK ("topup_margin_rules"."percent_bp" between 0 and 100000 and "topup_margin_rules"."fixed" between 0 and 100000000)
);
--> statement-breakpoint
CREATE TABLE "topup_members" (
	"user_id" bigint PRIMARY KEY NOT NULL,
	"level" text DEFAULT 'member' NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "topup_members_level_known" CHECK ("topup_members"."level" in ('member', 'reseller', 'agent'))
);
--> statement-breakpoint
CREATE TABLE "topup_price_history" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"service_id" uuid NOT NULL,
	"old_supplier_price" bigint,
	"supplier_price" bigint NOT NULL,
	"old_price" bigint,
	"price" bigint NOT NULL,
	"sync_id" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "topup_services" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"family" text NOT NULL,
	"code" text NOT NULL,
	"name" text NOT NULL,
	"brand" text DEFAULT '' NOT NULL,
	"category" text DEFAULT '' NOT NULL,
	"type" text DEFAULT '' NOT NULL,
	"note" text DEFAULT '' NOT NULL,
	"needs_zone" boolean DEFAULT false NOT NULL,
	"target_kind" text NOT NULL,
	"min_quantity" integer DEFAULT 1 NOT NULL,
	"max_quantity" integer DEFAULT 1 NOT NULL,
	"maintenance" text,
	"multi_trx" boolean DEFAULT true NOT NULL,
	"supplier_price" bigint NOT NULL,
	"price" bigint NOT NULL,
	"status" text DEFAULT 'available' NOT NULL,
	"active" boolean DEFAULT true NOT NULL,
	"stock" integer,
	"stock_type" text DEFAULT 'UNLIMITED' NOT NULL,
	"reserved" integer DEFAULT 0 NOT NULL,
	"min_stock" integer DEFAULT 5 NOT NULL,
	"stock_checked_at" timestamp with time zone,
	"sync_id" uuid,
	"gone_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "topup_services_family_code_key" UNIQUE("family","code"),
	CONSTRAINT "topup_services_family_known" CHECK ("topup_services"."family" in ('prepaid', 'game', 'social')),
	CONSTRAINT "topup_services_status_known" CHECK ("topup_services"."status" in ('available', 'empty', 'gone')),
	CONSTRAINT "topup_services_target_known" CHECK ("topup_services"."target_kind" in ('phone', 'pln_meter', 'customer_number', 'game_id', 'link')),
	CONSTRAINT "topup_services_no_loss" CHECK ("topup_services"."supplier_price" > 0 and "topup_services"."price" > "topup_services"."supplier_price"),
	CONSTRAINT "topup_services_quantities" CHECK ("topup_services"."min_quantity" >= 1 and "topup_services"."max_quantity" >= "topup_services"."min_quantity"),
	CONSTRAINT "topup_services_stock_sane" CHECK ("topup_services"."reserved" >= 0 and "topup_services"."min_stock" >= 0 and ("topup_services"."stock" is null or "topup_services"."stock" >= 0)
        and ("topup_services"."stock_type" <> 'LIMITED' or "topup_services"."stock" is not null)),
	CONSTRAINT "topup_services_stock_type_known" CHECK ("topup_services"."stock_type" in ('LIMITED', 'UNLIMITED', 'OUT_OF_STOCK'))
);
--> statement-breakpoint
CREATE TABLE "topup_stock_history" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"service_id" uuid NOT NULL,
	"type" text NOT NULL,
	"quantity" bigint NOT NULL,
	"old_stock" integer,
	"new_stock" integer,
	"reason" text,
	"actor_id" bigint,
	"order_id" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "topup_stock_history_type_known" CHECK ("topup_stock_history"."type" in ('MANUAL_ADJUSTMENT', 'ORDER_REDUCTION', 'SYNC_UPDATE', 'RESTOCK', 'CORRECTION'))
);
--> statement-breakpoint
CREATE TABLE "topup_sync_pieces" (
	"sync_id" uuid NOT NULL,
	"family" text NOT NULL,
	"piece" integer NOT NULL,
	"rows" jsonb NOT NULL,
	CONSTRAINT "topup_sync_pieces_pkey" PRIMARY KEY("sync_id","family","piece")
);
--> statement-breakpoint
CREATE TABLE "topup_syncs" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"action" text NOT NULL,
	"state" text DEFAULT 'running' NOT NULL,
	"families" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"services_added" integer DEFAULT 0 NOT NULL,
	"services_updated" integer DEFAULT 0 NOT NULL,
	"products_added" integer DEFAULT 0 NOT NULL,
	"products_updated" integer DEFAULT 0 NOT NULL,
	"stock_updated" integer DEFAULT 0 NOT NULL,
	"level" text,
	"error" text,
	"job_id" uuid,
	"requested_by" bigint,
	"started_at" timestamp with time zone DEFAULT now() NOT NULL,
	"beat_at" timestamp with time zone DEFAULT now() NOT NULL,
	"finished_at" timestamp with time zone,
	CONSTRAINT "topup_syncs_action_known" CHECK ("topup_syncs"."action" in ('full-sync', 'sync-services', 'sync-products', 'sync-stock')),
	CONSTRAINT "topup_syncs_state_known" CHECK ("topup_syncs"."state" in ('running', 'success', 'partial', 'failed')
        and ("topup_syncs"."finished_at" is null) = ("topup_syncs"."state" = 'running'))
);
--> statement-breakpoint
CREATE TABLE "topup_order_events" (
	"seq" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "topup_order_events_seq_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"order_id" uuid NOT NULL,
	"state" text NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	"handled_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "topup_orders" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"number" text NOT NULL,
	"user_id" bigint NOT NULL,
	"service_id" uuid NOT NULL,
	"family" text NOT NULL,
	"code" text NOT NULL,
	"service_name" text NOT NULL,
	"brand" text NOT NULL,
	"target" text NOT NULL,
	"zone" text,
	"quantity" integer DEFAULT 1 NOT NULL,
	"amount" bigint NOT NULL,
	"supplier_amount" bigint NOT NULL,
	"state" text NOT NULL,
	"ordered_via" text DEFAULT 'app' NOT NULL,
	"reseller_key_id" uuid,
	"trxid" text,
	"charged_amount" bigint,
	"remain" integer,
	"start_count" integer,
	"refunded_amount" bigint DEFAULT 0 NOT NULL,
	"notes" text,
	"supplier_note" text,
	"sealed_serial" text,
	"review_reason" text,
	"stock_held" text,
	"attempt_id" uuid,
	"attempt_at" timestamp with time zone,
	"attempt_until" timestamp with time zone,
	"bought_at" timestamp with time zone,
	"absences" integer DEFAULT 0 NOT NULL,
	"absent_since" timestamp with time zone,
	"ask_at" timestamp with time zone,
	"asked_at" timestamp with time zone,
	"expires_at" timestamp with time zone,
	"paid_at" timestamp with time zone,
	"finished_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "topup_orders_number_key" UNIQUE("number"),
	CONSTRAINT "topup_orders_family_known" CHECK ("topup_orders"."family" in ('prepaid', 'game', 'social')),
	CONSTRAINT "topup_orders_state_known" CHECK ("topup_orders"."state" in ('pending', 'queued', 'buying', 'unknown', 'review', 'processing',
        'success', 'partial', 'failed', 'cancelled', 'refunded')),
	CONSTRAINT "topup_orders_via_known" CHECK ("topup_orders"."ordered_via" in ('app', 'api')),
	CONSTRAINT "topup_orders_amounts" CHECK ("topup_orders"."amount" > 0 and "topup_orders"."supplier_amount" > 0 and "topup_orders"."quantity" > 0),
	CONSTRAINT "topup_orders_refund_bounds" CHECK ("topup_orders"."refunded_amount" between 0 and "topup_orders"."amount"),
	CONSTRAINT "topup_orders_final_dated" CHECK (("topup_orders"."finished_at" is not null) = ("topup_orders"."state" in ('success', 'partial', 'failed', 'cancelled', 'refunded'))),
	CONSTRAINT "topup_orders_bought_named" CHECK ("topup_orders"."state" <> 'processing' or "topup_orders"."trxid" is not null),
	CONSTRAINT "topup_orders_stock_known" CHECK ("topup_orders"."stock_held" in ('reserved', 'taken'))
);
--> statement-breakpoint
CREATE TABLE "topup_supplier_sightings" (
	"trxid" text NOT NULL,
	"family" text NOT NULL,
	"seen_at" timestamp with time zone NOT NULL,
	CONSTRAINT "topup_supplier_sightings_pkey" PRIMARY KEY("trxid")
);
--> statement-breakpoint
CREATE TABLE "topup_api_key_days" (
	"key_id" uuid NOT NULL,
	"day" date NOT NULL,
	"amount" bigint NOT NULL,
	CONSTRAINT "topup_api_key_days_pkey" PRIMARY KEY("key_id","day"),
	CONSTRAINT "topup_api_key_days_amount" CHECK ("topup_api_key_days"."amount" >= 0)
);
--> statement-breakpoint
CREATE TABLE "topup_api_key_minutes" (
	"key_id" uuid PRIMARY KEY NOT NULL,
	"minute" timestamp with time zone NOT NULL,
	"requests" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "topup_api_keys" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"user_id" bigint NOT NULL,
	"name" text NOT NULL,
	"prefix" text NOT NULL,
	"hash" text NOT NULL,
	"scopes" text[] NOT NULL,
	"addresses" text[] DEFAULT '{}'::text[] NOT NULL,
	"requests_per_minute" integer DEFAULT 120 NOT NULL,
	"daily_amount" bigint,
	"expires_at" timestamp with time zone,
	"last_used_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "topup_api_keys_hash_key" UNIQUE("hash"),
	CONSTRAINT "topup_api_keys_scopes_known" CHECK ("topup_api_keys"."scopes" <@ '{services:read,orders:write,orders:read,balance:read}'::text[] and cardinality("topup_api_keys"."scopes") > 0),
	CONSTRAINT "topup_api_keys_rate" CHECK ("topup_api_keys"."requests_per_minute" between 1 and 6000),
	CONSTRAINT "topup_api_keys_daily_amount" CHECK ("topup_api_keys"."daily_amount" is null or "topup_api_keys"."daily_amount" > 0)
);
--> statement-breakpoint
CREATE TABLE "topup_deliveries" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"endpoint_id" uuid NOT NULL,
	"order_id" uuid NOT NULL,
	"event_seq" bigint NOT NULL,
	"type" text NOT NULL,
	"payload" jsonb NOT NULL,
	"state" text DEFAULT 'pending' NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"round" integer DEFAULT 1 NOT NULL,
	"next_at" timestamp with time zone,
	"finished_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "topup_deliveries_event_key" UNIQUE("endpoint_id","order_id","event_seq"),
	CONSTRAINT "topup_deliveries_state_known" CHECK ("topup_deliveries"."state" in ('pending', 'delivered', 'failed', 'dropped'))
);
--> statement-breakpoint
CREATE TABLE "topup_delivery_attempts" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "topup_delivery_attempts_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"delivery_id" uuid NOT NULL,
	"status" integer,
	"error" text,
	"duration_ms" integer NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "topup_panel_orders" (
	"number" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "topup_panel_orders_number_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 100001 CACHE 1),
	"order_id" uuid NOT NULL,
	CONSTRAINT "topup_panel_orders_order_key" UNIQUE("order_id")
);
--> statement-breakpoint
CREATE TABLE "topup_panel_services" (
	"number" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "topup_panel_services_number_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1001 CACHE 1),
	"service_id" uuid NOT NULL,
	CONSTRAINT "topup_panel_services_service_key" UNIQUE("service_id")
);
--> statement-breakpoint
CREATE TABLE "topup_webhook_endpoints" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"user_id" bigint NOT NULL,
	"url" text NOT NULL,
	"events" text[] NOT NULL,
	"secret" text NOT NULL,
	"old_secret" text,
	"old_secret_until" timestamp with time zone,
	"failing_since" timestamp with time zone,
	"disabled_at" timestamp with time zone,
	"disabled_reason" text,
	"deleted_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "topup_webhook_endpoints_events_known" CHECK ("topup_webhook_endpoints"."events" <@ '{order.processing,order.success,order.partial,order.failed,order.refunded}'::text[] and cardinality("topup_webhook_endpoints"."events") > 0),
	CONSTRAINT "topup_webhook_endpoints_disabled_reason_known" CHECK ("topup_webhook_endpoints"."disabled_reason" in ('owner', 'failing') and ("topup_webhook_endpoints"."disabled_at" is null) = ("topup_webhook_endpoints"."disabled_reason" is null))
);
--> statement-breakpoint
ALTER TABLE "topup_hand_requests" ADD CONSTRAINT "topup_hand_requests_order_id_topup_orders_id_fk" FOREIGN KEY ("order_id") REFERENCES "public"."topup_orders"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "topup_hand_requests" ADD CONSTRAINT "topup_hand_requests_requested_by_identity_users_id_fk" FOREIGN KEY ("requested_by") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "topup_hand_requests" ADD CONSTRAINT "topup_hand_requests_decided_by_identity_users_id_fk" FOREIGN KEY ("decided_by") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "topup_stock_alerts" ADD CONSTRAINT "topup_stock_alerts_service_id_topup_services_id_fk" FOREIGN KEY ("service_id") REFERENCES "public"."topup_services"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "topup_lookups" ADD CONSTRAINT "topup_lookups_user_id_identity_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "topup_members" ADD CONSTRAINT "topup_members_user_id_identity_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "topup_price_history" ADD CONSTRAINT "topup_price_history_service_id_topup_services_id_fk" FOREIGN KEY ("service_id") REFERENCES "public"."topup_services"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "topup_stock_history" ADD CONSTRAINT "topup_stock_history_service_id_topup_services_id_fk" FOREIGN KEY ("service_id") REFERENCES "public"."topup_services"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "topup_stock_history" ADD CONSTRAINT "topup_stock_history_actor_id_identity_users_id_fk" FOREIGN KEY ("actor_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "topup_sync_pieces" ADD CONSTRAINT "topup_sync_pieces_sync_id_topup_syncs_id_fk" FOREIGN KEY ("sync_id") REFERENCES "public"."topup_syncs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "topup_syncs" ADD CONSTRAINT "topup_syncs_requested_by_identity_users_id_fk" FOREIGN KEY ("requested_by") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "topup_order_events" ADD CONSTRAINT "topup_order_events_order_id_topup_orders_id_fk" FOREIGN KEY ("order_id") REFERENCES "public"."topup_orders"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "topup_orders" ADD CONSTRAINT "topup_orders_user_id_identity_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "topup_orders" ADD CONSTRAINT "topup_orders_service_id_topup_services_id_fk" FOREIGN KEY ("service_id") REFERENCES "public"."topup_services"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "topup_orders" ADD CONSTRAINT "topup_orders_reseller_key_id_topup_api_keys_id_fk" FOREIGN KEY ("reseller_key_id") REFERENCES "public"."topup_api_keys"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "topup_api_key_days" ADD CONSTRAINT "topup_api_key_days_key_id_topup_api_keys_id_fk" FOREIGN KEY ("key_id") REFERENCES "public"."topup_api_keys"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "topup_api_key_minutes" ADD CONSTRAINT "topup_api_key_minutes_key_id_topup_api_keys_id_fk" FOREIGN KEY ("key_id") REFERENCES "public"."topup_api_keys"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "topup_api_keys" ADD CONSTRAINT "topup_api_keys_user_id_identity_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "topup_deliveries" ADD CONSTRAINT "topup_deliveries_endpoint_id_topup_webhook_endpoints_id_fk" FOREIGN KEY ("endpoint_id") REFERENCES "public"."topup_webhook_endpoints"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "topup_delivery_attempts" ADD CONSTRAINT "topup_delivery_attempts_delivery_id_topup_deliveries_id_fk" FOREIGN KEY ("delivery_id") REFERENCES "public"."topup_deliveries"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "topup_webhook_endpoints" ADD CONSTRAINT "topup_webhook_endpoints_user_id_identity_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "topup_hand_requests_open_key" ON "topup_hand_requests" USING btree ("order_id") WHERE "topup_hand_requests"."state" in ('waiting', 'confirmed');--> statement-breakpoint
CREATE INDEX "topup_hand_requests_order_idx" ON "topup_hand_requests" USING btree ("order_id","id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "topup_hand_requests_state_idx" ON "topup_hand_requests" USING btree ("state","id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "topup_reconciliations_balance_idx" ON "topup_reconciliations" USING btree ("balance_at");--> statement-breakpoint
CREATE INDEX "topup_price_history_service_idx" ON "topup_price_history" USING btree ("service_id","created_at");--> statement-breakpoint
CREATE INDEX "topup_services_brand_idx" ON "topup_services" USING btree ("family","brand","price","id");--> statement-breakpoint
CREATE INDEX "topup_services_price_idx" ON "topup_services" USING btree ("price","id") WHERE "topup_services"."status" <> 'gone' and "topup_services"."active";--> statement-breakpoint
CREATE INDEX "topup_services_name_idx" ON "topup_services" USING btree ("name","id") WHERE "topup_services"."status" <> 'gone' and "topup_services"."active";--> statement-breakpoint
CREATE INDEX "topup_services_low_stock_idx" ON "topup_services" USING btree ("stock") WHERE "topup_services"."stock_type" = 'LIMITED' and "topup_services"."active";--> statement-breakpoint
CREATE INDEX "topup_stock_history_service_idx" ON "topup_stock_history" USING btree ("service_id","created_at");--> statement-breakpoint
CREATE INDEX "topup_stock_history_actor_idx" ON "topup_stock_history" USING btree ("actor_id");--> statement-breakpoint
CREATE INDEX "topup_stock_history_order_idx" ON "topup_stock_history" USING btree ("order_id");--> statement-breakpoint
CREATE UNIQUE INDEX "topup_syncs_one_running" ON "topup_syncs" USING btree ("state") WHERE "topup_syncs"."state" = 'running';--> statement-breakpoint
CREATE INDEX "topup_syncs_started_idx" ON "topup_syncs" USING btree ("started_at" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "topup_syncs_requested_by_idx" ON "topup_syncs" USING btree ("requested_by");--> statement-breakpoint
CREATE INDEX "topup_order_events_order_idx" ON "topup_order_events" USING btree ("order_id","seq");--> statement-breakpoint
CREATE INDEX "topup_order_events_open_idx" ON "topup_order_events" USING btree ("seq") WHERE "topup_order_events"."handled_at" is null;--> statement-breakpoint
CREATE UNIQUE INDEX "topup_orders_trxid_key" ON "topup_orders" USING btree ("trxid") WHERE "topup_orders"."trxid" is not null;--> statement-breakpoint
CREATE INDEX "topup_orders_user_idx" ON "topup_orders" USING btree ("user_id","id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "topup_orders_open_idx" ON "topup_orders" USING btree ("user_id") WHERE "topup_orders"."state" in ('queued', 'buying', 'unknown', 'review', 'processing');--> statement-breakpoint
CREATE INDEX "topup_orders_target_idx" ON "topup_orders" USING btree ("family","target","id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "topup_orders_ask_idx" ON "topup_orders" USING btree ("family","ask_at") WHERE "topup_orders"."state" = 'processing';--> statement-breakpoint
CREATE INDEX "topup_orders_expiry_idx" ON "topup_orders" USING btree ("expires_at") WHERE "topup_orders"."state" = 'pending';--> statement-breakpoint
CREATE INDEX "topup_orders_state_idx" ON "topup_orders" USING btree ("state","id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "topup_orders_service_idx" ON "topup_orders" USING btree ("service_id");--> statement-breakpoint
CREATE INDEX "topup_orders_key_idx" ON "topup_orders" USING btree ("reseller_key_id") WHERE "topup_orders"."reseller_key_id" is not null;--> statement-breakpoint
CREATE INDEX "topup_supplier_sightings_seen_idx" ON "topup_supplier_sightings" USING btree ("seen_at");--> statement-breakpoint
CREATE INDEX "topup_api_keys_user_idx" ON "topup_api_keys" USING btree ("user_id","id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "topup_deliveries_endpoint_idx" ON "topup_deliveries" USING btree ("endpoint_id","id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "topup_deliveries_created_idx" ON "topup_deliveries" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "topup_delivery_attempts_delivery_idx" ON "topup_delivery_attempts" USING btree ("delivery_id","id");--> statement-breakpoint
CREATE INDEX "topup_webhook_endpoints_user_idx" ON "topup_webhook_endpoints" USING btree ("user_id") WHERE "topup_webhook_endpoints"."deleted_at" is null;