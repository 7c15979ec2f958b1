CREATE TABLE "http_idempotency_keys" (
	"user_id" bigint NOT NULL,
	"key" text NOT NULL,
	"operation" text NOT NULL,
	"input_hash" text NOT NULL,
	"subject_id" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "http_idempotency_keys_pkey" PRIMARY KEY("user_id","key")
);
--> statement-breakpoint
CREATE TABLE "inbox_dead_letters" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"queue" text NOT NULL,
	"message_id" text NOT NULL,
	"message" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"replayed_at" timestamp with time zone,
	CONSTRAINT "inbox_dead_letters_message_key" UNIQUE("message_id")
);
--> statement-breakpoint
CREATE TABLE "inbox_events" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"provider" text NOT NULL,
	"event_key" text NOT NULL,
	"body" text NOT NULL,
	"state" text DEFAULT 'received' NOT NULL,
	"attempts" integer DEFAULT 1 NOT NULL,
	"note" text,
	"received_at" timestamp with time zone NOT NULL,
	"retry_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"finished_at" timestamp with time zone,
	CONSTRAINT "inbox_events_event_key" UNIQUE("provider","event_key"),
	CONSTRAINT "inbox_events_state_known" CHECK ("inbox_events"."state" in ('received', 'applied', 'parked'))
);
--> statement-breakpoint
CREATE TABLE "jobs" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"kind" text NOT NULL,
	"queue" text NOT NULL,
	"dedupe_key" text,
	"payload" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"state" text DEFAULT 'queued' NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"max_attempts" integer DEFAULT 20 NOT NULL,
	"run_at" timestamp with time zone DEFAULT now() NOT NULL,
	"lease_id" uuid,
	"lease_until" timestamp with time zone,
	"progress" integer DEFAULT 0 NOT NULL,
	"result" jsonb,
	"error" text,
	"finished_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "jobs_dedupe_key_key" UNIQUE("dedupe_key"),
	CONSTRAINT "jobs_state_known" CHECK ("jobs"."state" in ('queued', 'running', 'success', 'failed', 'unknown', 'cancelled')),
	CONSTRAINT "jobs_progress_percent" CHECK ("jobs"."progress" between 0 and 100)
);
--> statement-breakpoint
CREATE TABLE "ledger_accounts" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "ledger_accounts_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"kind" text NOT NULL,
	"owner_id" text NOT NULL,
	"currency" text DEFAULT 'IDR' NOT NULL,
	"balance" bigint DEFAULT 0 NOT NULL,
	"may_overdraw" boolean DEFAULT false NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "ledger_accounts_owner_key" UNIQUE("kind","owner_id","currency"),
	CONSTRAINT "ledger_accounts_balance_covered" CHECK ("ledger_accounts"."balance" >= 0 or "ledger_accounts"."may_overdraw"),
	CONSTRAINT "ledger_accounts_currency_known" CHECK ("ledger_accounts"."currency" in ('IDR', 'COIN')),
	CONSTRAINT "ledger_accounts_kind_known" CHECK ("ledger_accounts"."kind" in ('wallet', 'escrow', 'gateway', 'refund_due', 'commission', 'courier', 'promo')),
	CONSTRAINT "ledger_accounts_overdraft_kinds" CHECK ("ledger_accounts"."may_overdraw" = ("ledger_accounts"."kind" in ('gateway', 'promo'))),
	CONSTRAINT "ledger_accounts_owner_named" CHECK ("ledger_accounts"."owner_id" <> ''),
	CONSTRAINT "ledger_accounts_balance_safe" CHECK (abs("ledger_accounts"."balance") <= 9007199254740991)
);
--> statement-breakpoint
CREATE TABLE "ledger_transfers" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "ledger_transfers_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"reference" text NOT NULL,
	"debit_account_id" bigint NOT NULL,
	"credit_account_id" bigint NOT NULL,
	"currency" text NOT NULL,
	"amount" bigint NOT NULL,
	"debit_balance" bigint NOT NULL,
	"credit_balance" bigint NOT NULL,
	"reason" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "ledger_transfers_reference_key" UNIQUE("reference"),
	CONSTRAINT "ledger_transfers_amount_positive" CHECK ("ledger_transfers"."amount" > 0),
	CONSTRAINT "ledger_transfers_two_accounts" CHECK ("ledger_transfers"."debit_account_id" <> "ledger_transfers"."credit_account_id")
);
--> statement-breakpoint
CREATE TABLE "payments_charges" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"intent_id" uuid NOT NULL,
	"channel" text NOT NULL,
	"provider_ref" text NOT NULL,
	"state" text DEFAULT 'creating' NOT NULL,
	"settles_intent" boolean DEFAULT false NOT NULL,
	"transaction_id" text,
	"qr_string" text,
	"qr_image_url" text,
	"payment_url" text,
	"expires_at" timestamp with time zone NOT NULL,
	"check_at" timestamp with time zone,
	"paid_at" timestamp with time zone,
	"failure" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "payments_charges_provider_ref_key" UNIQUE("provider_ref"),
	CONSTRAINT "payments_charges_channel_known" CHECK ("payments_charges"."channel" in ('qris', 'snap', 'redirect')),
	CONSTRAINT "payments_charges_state_known" CHECK ("payments_charges"."state" in ('creating', 'pending', 'unknown', 'paid', 'expired', 'cancelled', 'failed', 'refunding', 'refunded'))
);
--> statement-breakpoint
CREATE TABLE "payments_intents" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"purpose" text NOT NULL,
	"purpose_id" text NOT NULL,
	"user_id" bigint NOT NULL,
	"provider" text NOT NULL,
	"amount" bigint NOT NULL,
	"state" text DEFAULT 'pending' NOT NULL,
	"customer_email" text,
	"expires_at" timestamp with time zone NOT NULL,
	"paid_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "payments_intents_amount_positive" CHECK ("payments_intents"."amount" > 0),
	CONSTRAINT "payments_intents_state_known" CHECK ("payments_intents"."state" in ('pending', 'paid', 'expired', 'failed', 'refunded'))
);
--> statement-breakpoint
CREATE TABLE "payments_refunds" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"charge_id" uuid NOT NULL,
	"amount" bigint NOT NULL,
	"reason" text NOT NULL,
	"state" text DEFAULT 'queued' NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"requested_at" timestamp with time zone,
	"finished_at" timestamp with time zone,
	CONSTRAINT "payments_refunds_charge_key" UNIQUE("charge_id"),
	CONSTRAINT "payments_refunds_amount_positive" CHECK ("payments_refunds"."amount" > 0),
	CONSTRAINT "payments_refunds_state_known" CHECK ("payments_refunds"."state" in ('queued', 'requested', 'refunded', 'credited'))
);
--> statement-breakpoint
CREATE TABLE "identity_attempts" (
	"key" text PRIMARY KEY NOT NULL,
	"failures" integer NOT NULL,
	"window_started_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "identity_sessions" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"user_id" bigint NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"revoked_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "identity_users" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "identity_users_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 100001 CACHE 1),
	"email" text,
	"phone" text,
	"password_hash" text NOT NULL,
	"name" text NOT NULL,
	"roles" text[] DEFAULT '{buyer}'::text[] NOT NULL,
	"avatar_url" text,
	"gender" text,
	"age" integer,
	"signature" text,
	"level" integer DEFAULT 1 NOT NULL,
	"vip_level" integer DEFAULT 0 NOT NULL,
	"xp" bigint DEFAULT 0 NOT NULL,
	"email_verified_at" timestamp with time zone,
	"banned_at" timestamp with time zone,
	"deleted_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "identity_users_email_key" UNIQUE("email"),
	CONSTRAINT "identity_users_phone_key" UNIQUE("phone"),
	CONSTRAINT "identity_users_reachable" CHECK ("identity_users"."email" is not null or "identity_users"."phone" is not null),
	CONSTRAINT "identity_users_email_lower" CHECK ("identity_users"."email" = lower("identity_users"."email")),
	CONSTRAINT "identity_users_roles_known" CHECK ("identity_users"."roles" <@ '{buyer,seller,admin,operator}'::text[])
);
--> statement-breakpoint
CREATE TABLE "market_cart_items" (
	"user_id" bigint NOT NULL,
	"product_id" uuid NOT NULL,
	"quantity" integer NOT NULL,
	"seen_price" bigint NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "market_cart_items_pkey" PRIMARY KEY("user_id","product_id"),
	CONSTRAINT "market_cart_items_quantity" CHECK ("market_cart_items"."quantity" between 1 and 999)
);
--> statement-breakpoint
CREATE TABLE "market_categories" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"name" text NOT NULL,
	"slug" text NOT NULL,
	"icon_url" text,
	"parent_id" uuid,
	CONSTRAINT "market_categories_slug_key" UNIQUE("slug")
);
--> statement-breakpoint
CREATE TABLE "market_product_images" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"product_id" uuid NOT NULL,
	"url" text NOT NULL,
	"is_primary" boolean DEFAULT false NOT NULL,
	"is_ai_enhanced" boolean DEFAULT false NOT NULL,
	"sort_order" integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "market_products" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"store_id" uuid NOT NULL,
	"category_id" uuid,
	"name" text NOT NULL,
	"description" text,
	"price" bigint NOT NULL,
	"stock" integer DEFAULT 0 NOT NULL,
	"reserved" integer DEFAULT 0 NOT NULL,
	"weight_gram" integer DEFAULT 0 NOT NULL,
	"is_featured" boolean DEFAULT false NOT NULL,
	"status" text DEFAULT 'draft' NOT NULL,
	"deleted_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "market_products_price_positive" CHECK ("market_products"."price" > 0),
	CONSTRAINT "market_products_stock_covers" CHECK ("market_products"."reserved" >= 0 and "market_products"."stock" >= "market_products"."reserved"),
	CONSTRAINT "market_products_weight_positive" CHECK ("market_products"."weight_gram" >= 0),
	CONSTRAINT "market_products_status_known" CHECK ("market_products"."status" in ('draft', 'active', 'archived')),
	CONSTRAINT "market_products_active_weighs" CHECK ("market_products"."status" <> 'active' or "market_products"."weight_gram" >= 1)
);
--> statement-breakpoint
CREATE TABLE "market_promo_codes" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"store_id" uuid,
	"created_by" bigint NOT NULL,
	"code" text NOT NULL,
	"type" text NOT NULL,
	"value" bigint NOT NULL,
	"min_purchase" bigint DEFAULT 0 NOT NULL,
	"max_uses" integer,
	"used_count" integer DEFAULT 0 NOT NULL,
	"starts_at" timestamp with time zone NOT NULL,
	"ends_at" timestamp with time zone NOT NULL,
	"is_active" boolean DEFAULT true NOT NULL,
	"deleted_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "market_promo_codes_code_key" UNIQUE("code"),
	CONSTRAINT "market_promo_codes_code_upper" CHECK ("market_promo_codes"."code" = upper("market_promo_codes"."code")),
	CONSTRAINT "market_promo_codes_type_known" CHECK ("market_promo_codes"."type" in ('percentage', 'fixed')),
	CONSTRAINT "market_promo_codes_value_sane" CHECK ("market_promo_codes"."value" > 0 and ("market_promo_codes"."type" = 'fixed' or "market_promo_codes"."value" <= 100)),
	CONSTRAINT "market_promo_codes_dates" CHECK ("market_promo_codes"."ends_at" > "market_promo_codes"."starts_at"),
	CONSTRAINT "market_promo_codes_min_purchase" CHECK ("market_promo_codes"."min_purchase" >= 0),
	CONSTRAINT "market_promo_codes_uses" CHECK ("market_promo_codes"."used_count" >= 0 and ("market_promo_codes"."max_uses" is null or "market_promo_codes"."used_count" <= "market_promo_codes"."max_uses"))
);
--> statement-breakpoint
CREATE TABLE "market_store_slugs" (
	"slug" text PRIMARY KEY NOT NULL,
	"store_id" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "market_stores" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"user_id" bigint NOT NULL,
	"name" text NOT NULL,
	"slug" text NOT NULL,
	"description" text,
	"logo_url" text,
	"banner_url" text,
	"address" text,
	"city" text,
	"province" text,
	"postal_code" text,
	"lat" double precision,
	"lng" double precision,
	"google_maps_url" text,
	"instagram_handle" text,
	"phone" text,
	"area_id" text,
	"shipping_couriers" text[] DEFAULT '{}'::text[] NOT NULL,
	"status" text DEFAULT 'active' NOT NULL,
	"is_featured" boolean DEFAULT false NOT NULL,
	"version" bigint DEFAULT 1 NOT NULL,
	"deleted_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "market_stores_user_key" UNIQUE("user_id"),
	CONSTRAINT "market_stores_slug_key" UNIQUE("slug"),
	CONSTRAINT "market_stores_status_known" CHECK ("market_stores"."status" in ('active', 'inactive', 'suspended')),
	CONSTRAINT "market_stores_slug_shape" CHECK ("market_stores"."slug" ~ '^[a-z0-9]([a-z0-9-]{1,61}[a-z0-9])$')
);
--> statement-breakpoint
CREATE TABLE "market_order_items" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"order_id" uuid NOT NULL,
	"product_id" uuid NOT NULL,
	"name" text NOT NULL,
	"image_url" text,
	"quantity" integer NOT NULL,
	"unit_price" bigint NOT NULL,
	"subtotal" bigint NOT NULL,
	"weight_gram" integer NOT NULL,
	CONSTRAINT "market_order_items_product_key" UNIQUE("order_id","product_id"),
	CONSTRAINT "market_order_items_quantity_positive" CHECK ("market_order_items"."quantity" > 0),
	CONSTRAINT "market_order_items_sum" CHECK ("market_order_items"."subtotal" = "market_order_items"."unit_price" * "market_order_items"."quantity")
);
--> statement-breakpoint
CREATE TABLE "market_orders" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"number" text NOT NULL,
	"buyer_id" bigint NOT NULL,
	"store_id" uuid NOT NULL,
	"promo_code_id" uuid,
	"payment_id" uuid,
	"status" text DEFAULT 'pending' NOT NULL,
	"subtotal_amount" bigint NOT NULL,
	"discount_amount" bigint DEFAULT 0 NOT NULL,
	"shipping_amount" bigint NOT NULL,
	"total_amount" bigint NOT NULL,
	"commission_amount" bigint NOT NULL,
	"discount_paid_by" text DEFAULT 'store' NOT NULL,
	"payment_method" text,
	"source" text DEFAULT 'web' NOT NULL,
	"shipping_address" jsonb NOT NULL,
	"courier" jsonb NOT NULL,
	"weight_gram" integer NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"paid_at" timestamp with time zone,
	"delivered_at" timestamp with time zone,
	"closed_at" timestamp with time zone,
	"closed_reason" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "market_orders_number_key" UNIQUE("number"),
	CONSTRAINT "market_orders_status_known" CHECK ("market_orders"."status" in ('pending', 'paid', 'processing', 'shipped', 'delivered', 'cancelled', 'refunded')),
	CONSTRAINT "market_orders_discount_payer" CHECK ("market_orders"."discount_paid_by" in ('store', 'platform')),
	CONSTRAINT "market_orders_source_known" CHECK ("market_orders"."source" in ('web', 'marketplace')),
	CONSTRAINT "market_orders_sum" CHECK ("market_orders"."total_amount" = "market_orders"."subtotal_amount" - "market_orders"."discount_amount" + "market_orders"."shipping_amount" and "market_orders"."discount_amount" between 0 and "market_orders"."subtotal_amount" and "market_orders"."shipping_amount" >= 0 and "market_orders"."commission_amount" >= 0)
);
--> statement-breakpoint
CREATE TABLE "market_shipment_events" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"shipment_id" uuid NOT NULL,
	"status" text NOT NULL,
	"description" text NOT NULL,
	"occurred_at" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "market_shipment_events_once" UNIQUE("shipment_id","status","occurred_at")
);
--> statement-breakpoint
CREATE TABLE "market_shipments" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"order_id" uuid NOT NULL,
	"courier" text NOT NULL,
	"service" text NOT NULL,
	"status" text DEFAULT 'pending' NOT NULL,
	"tracking_code" text,
	"pickup_number" text,
	"kiriminaja_order_id" text,
	"shipping_cost" bigint NOT NULL,
	"estimated_delivery" timestamp with time zone,
	"requested_at" timestamp with time zone,
	"shipped_at" timestamp with time zone,
	"delivered_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "market_shipments_order_key" UNIQUE("order_id"),
	CONSTRAINT "market_shipments_status_known" CHECK ("market_shipments"."status" in ('pending', 'picked_up', 'in_transit', 'delivered', 'failed', 'cancelled', 'returned'))
);
--> statement-breakpoint
ALTER TABLE "ledger_transfers" ADD CONSTRAINT "ledger_transfers_debit_account_id_ledger_accounts_id_fk" FOREIGN KEY ("debit_account_id") REFERENCES "public"."ledger_accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ledger_transfers" ADD CONSTRAINT "ledger_transfers_credit_account_id_ledger_accounts_id_fk" FOREIGN KEY ("credit_account_id") REFERENCES "public"."ledger_accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "payments_charges" ADD CONSTRAINT "payments_charges_intent_id_payments_intents_id_fk" FOREIGN KEY ("intent_id") REFERENCES "public"."payments_intents"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "payments_refunds" ADD CONSTRAINT "payments_refunds_charge_id_payments_charges_id_fk" FOREIGN KEY ("charge_id") REFERENCES "public"."payments_charges"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "identity_sessions" ADD CONSTRAINT "identity_sessions_user_id_identity_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_cart_items" ADD CONSTRAINT "market_cart_items_user_id_identity_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_cart_items" ADD CONSTRAINT "market_cart_items_product_id_market_products_id_fk" FOREIGN KEY ("product_id") REFERENCES "public"."market_products"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_categories" ADD CONSTRAINT "market_categories_parent_id_market_categories_id_fk" FOREIGN KEY ("parent_id") REFERENCES "public"."market_categories"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_product_images" ADD CONSTRAINT "market_product_images_product_id_market_products_id_fk" FOREIGN KEY ("product_id") REFERENCES "public"."market_products"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_products" ADD CONSTRAINT "market_products_store_id_market_stores_id_fk" FOREIGN KEY ("store_id") REFERENCES "public"."market_stores"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_products" ADD CONSTRAINT "market_products_category_id_market_categories_id_fk" FOREIGN KEY ("category_id") REFERENCES "public"."market_categories"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_promo_codes" ADD CONSTRAINT "market_promo_codes_store_id_market_stores_id_fk" FOREIGN KEY ("store_id") REFERENCES "public"."market_stores"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_promo_codes" ADD CONSTRAINT "market_promo_codes_created_by_identity_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_store_slugs" ADD CONSTRAINT "market_store_slugs_store_id_market_stores_id_fk" FOREIGN KEY ("store_id") REFERENCES "public"."market_stores"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_stores" ADD CONSTRAINT "market_stores_user_id_identity_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_order_items" ADD CONSTRAINT "market_order_items_order_id_market_orders_id_fk" FOREIGN KEY ("order_id") REFERENCES "public"."market_orders"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_order_items" ADD CONSTRAINT "market_order_items_product_id_market_products_id_fk" FOREIGN KEY ("product_id") REFERENCES "public"."market_products"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_orders" ADD CONSTRAINT "market_orders_buyer_id_identity_users_id_fk" FOREIGN KEY ("buyer_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_orders" ADD CONSTRAINT "market_orders_store_id_market_stores_id_fk" FOREIGN KEY ("store_id") REFERENCES "public"."market_stores"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_orders" ADD CONSTRAINT "market_orders_promo_code_id_market_promo_codes_id_fk" FOREIGN KEY ("promo_code_id") REFERENCES "public"."market_promo_codes"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_orders" ADD CONSTRAINT "market_orders_payment_id_payments_intents_id_fk" FOREIGN KEY ("payment_id") REFERENCES "public"."payments_intents"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_shipment_events" ADD CONSTRAINT "market_shipment_events_shipment_id_market_shipments_id_fk" FOREIGN KEY ("shipment_id") REFERENCES "public"."market_shipments"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_shipments" ADD CONSTRAINT "market_shipments_order_id_market_orders_id_fk" FOREIGN KEY ("order_id") REFERENCES "public"."market_orders"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "inbox_events_retry_idx" ON "inbox_events" USING btree ("retry_at") WHERE "inbox_events"."retry_at" is not null;--> statement-breakpoint
CREATE INDEX "jobs_due_idx" ON "jobs" USING btree ("run_at") WHERE "jobs"."state" in ('queued', 'unknown');--> statement-breakpoint
CREATE INDEX "jobs_lease_idx" ON "jobs" USING btree ("lease_until") WHERE "jobs"."state" = 'running';--> statement-breakpoint
CREATE INDEX "jobs_finished_idx" ON "jobs" USING btree ("finished_at") WHERE "jobs"."finished_at" is not null;--> statement-breakpoint
CREATE INDEX "ledger_transfers_debit_idx" ON "ledger_transfers" USING btree ("debit_account_id","id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "ledger_transfers_credit_idx" ON "ledger_transfers" USING btree ("credit_account_id","id" DESC NULLS FIRST);--> statement-breakpoint
CREATE UNIQUE INDEX "payments_charges_channel_key" ON "payments_charges" USING btree ("intent_id","channel");--> statement-breakpoint
CREATE UNIQUE INDEX "payments_charges_settling_key" ON "payments_charges" USING btree ("intent_id") WHERE "payments_charges"."settles_intent";--> statement-breakpoint
CREATE INDEX "payments_charges_check_idx" ON "payments_charges" USING btree ("check_at") WHERE "payments_charges"."check_at" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "payments_intents_open_key" ON "payments_intents" USING btree ("purpose","purpose_id") WHERE "payments_intents"."state" in ('pending', 'paid');--> statement-breakpoint
CREATE INDEX "payments_intents_user_idx" ON "payments_intents" USING btree ("user_id","created_at" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "identity_attempts_window_idx" ON "identity_attempts" USING btree ("window_started_at");--> statement-breakpoint
CREATE INDEX "identity_sessions_user_idx" ON "identity_sessions" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "identity_sessions_expiry_idx" ON "identity_sessions" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "market_cart_items_product_idx" ON "market_cart_items" USING btree ("product_id");--> statement-breakpoint
CREATE INDEX "market_categories_parent_idx" ON "market_categories" USING btree ("parent_id");--> statement-breakpoint
CREATE INDEX "market_product_images_product_idx" ON "market_product_images" USING btree ("product_id","sort_order");--> statement-breakpoint
CREATE INDEX "market_products_store_idx" ON "market_products" USING btree ("store_id","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "market_products_shown_idx" ON "market_products" USING btree ("created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST) WHERE "market_products"."status" = 'active' and "market_products"."deleted_at" is null;--> statement-breakpoint
CREATE INDEX "market_products_featured_idx" ON "market_products" USING btree ("created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST) WHERE "market_products"."is_featured" and "market_products"."status" = 'active' and "market_products"."deleted_at" is null;--> statement-breakpoint
CREATE INDEX "market_products_price_idx" ON "market_products" USING btree ("price") WHERE "market_products"."status" = 'active' and "market_products"."deleted_at" is null;--> statement-breakpoint
CREATE INDEX "market_products_category_idx" ON "market_products" USING btree ("category_id","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "market_promo_codes_store_idx" ON "market_promo_codes" USING btree ("store_id","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "market_store_slugs_store_idx" ON "market_store_slugs" USING btree ("store_id");--> statement-breakpoint
CREATE INDEX "market_order_items_product_idx" ON "market_order_items" USING btree ("product_id");--> statement-breakpoint
CREATE INDEX "market_orders_buyer_idx" ON "market_orders" USING btree ("buyer_id","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "market_orders_store_idx" ON "market_orders" USING btree ("store_id","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "market_orders_payment_idx" ON "market_orders" USING btree ("payment_id");--> statement-breakpoint
CREATE INDEX "market_orders_promo_idx" ON "market_orders" USING btree ("promo_code_id");--> statement-breakpoint
CREATE INDEX "market_shipments_kiriminaja_idx" ON "market_shipments" USING btree ("kiriminaja_order_id");