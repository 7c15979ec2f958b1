CREATE TABLE "market_assistant_actions" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"user_id" bigint NOT NULL,
	"session_id" uuid,
	"tool" text NOT NULL,
	"input" jsonb NOT NULL,
	"target_kind" text,
	"target_id" uuid,
	"before" jsonb,
	"after" jsonb,
	"confirmed" boolean DEFAULT false NOT NULL,
	"undone_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "market_assistant_messages" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "market_assistant_messages_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"session_id" uuid NOT NULL,
	"role" text NOT NULL,
	"content" jsonb NOT NULL,
	"from_outside" boolean DEFAULT false NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "market_assistant_messages_role_known" CHECK ("market_assistant_messages"."role" in ('user', 'assistant'))
);
--> statement-breakpoint
CREATE TABLE "market_assistant_proposals" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"session_id" uuid NOT NULL,
	"user_id" bigint NOT NULL,
	"code" text NOT NULL,
	"tool" text NOT NULL,
	"input" jsonb NOT NULL,
	"summary" text NOT NULL,
	"before" jsonb,
	"state" text DEFAULT 'open' NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "market_assistant_proposals_state_known" CHECK ("market_assistant_proposals"."state" in ('open', 'done', 'cancelled', 'lapsed'))
);
--> statement-breakpoint
CREATE TABLE "market_assistant_sessions" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"user_id" bigint NOT NULL,
	"title" text NOT NULL,
	"turn_id" uuid,
	"turn_until" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "market_assistant_sessions_turn_whole" CHECK (("market_assistant_sessions"."turn_id" is null) = ("market_assistant_sessions"."turn_until" is null))
);
--> statement-breakpoint
CREATE TABLE "market_assistant_usage" (
	"user_id" bigint NOT NULL,
	"day" date NOT NULL,
	"turns" integer DEFAULT 0 NOT NULL,
	"tokens" bigint DEFAULT 0 NOT NULL,
	"cost_micro_usd" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "market_assistant_usage_pkey" PRIMARY KEY("user_id","day"),
	CONSTRAINT "market_assistant_usage_positive" CHECK ("market_assistant_usage"."tokens" >= 0 and "market_assistant_usage"."cost_micro_usd" >= 0)
);
--> statement-breakpoint
CREATE TABLE "market_channel_lines" (
	"channel_order_id" uuid NOT NULL,
	"line_id" text NOT NULL,
	"product_id" uuid,
	"sku" text NOT NULL,
	"name" text NOT NULL,
	"quantity" integer NOT NULL,
	"unit_price" bigint NOT NULL,
	"status" text NOT NULL,
	"held" integer DEFAULT 0 NOT NULL,
	"taken" integer DEFAULT 0 NOT NULL,
	"short" integer DEFAULT 0 NOT NULL,
	"problem" text,
	CONSTRAINT "market_channel_lines_pkey" PRIMARY KEY("channel_order_id","line_id"),
	CONSTRAINT "market_channel_lines_quantity" CHECK ("market_channel_lines"."quantity" > 0),
	CONSTRAINT "market_channel_lines_holds" CHECK ("market_channel_lines"."held" >= 0 and "market_channel_lines"."taken" >= 0 and "market_channel_lines"."short" >= 0 and "market_channel_lines"."held" + "market_channel_lines"."taken" <= "market_channel_lines"."quantity")
);
--> statement-breakpoint
CREATE TABLE "market_channel_orders" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"connection_id" uuid NOT NULL,
	"remote_id" text NOT NULL,
	"status" text NOT NULL,
	"status_text" text,
	"order_id" uuid,
	"remote_updated_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "market_channel_orders_remote_key" UNIQUE("connection_id","remote_id"),
	CONSTRAINT "market_channel_orders_status_known" CHECK ("market_channel_orders"."status" in ('unpaid', 'to_ship', 'shipped', 'delivered', 'cancelled', 'returned', 'unknown'))
);
--> statement-breakpoint
CREATE TABLE "market_connections" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"store_id" uuid NOT NULL,
	"platform" text NOT NULL,
	"status" text DEFAULT 'disconnected' NOT NULL,
	"status_reason" text,
	"shop_id" text,
	"shop_name" text,
	"shop_cipher" text,
	"setup" jsonb,
	"setup_at" timestamp with time zone,
	"access_token_enc" text,
	"refresh_token_enc" text,
	"access_expires_at" timestamp with time zone,
	"refresh_expires_at" timestamp with time zone,
	"generation" integer DEFAULT 0 NOT NULL,
	"refresh_lease" uuid,
	"refresh_lease_until" timestamp with time zone,
	"refresh_attempts" integer DEFAULT 0 NOT NULL,
	"refresh_retry_at" timestamp with time zone,
	"connected_at" timestamp with time zone,
	"last_sync_at" timestamp with time zone,
	"read_next_at" timestamp with time zone,
	"write_next_at" timestamp with time zone,
	"pace_factor" double precision DEFAULT 1 NOT NULL,
	"blocked_until" timestamp with time zone,
	"pump_seq" integer DEFAULT 0 NOT NULL,
	"pump_idle" boolean DEFAULT true NOT NULL,
	"orders_from" timestamp with time zone,
	"orders_since" timestamp with time zone,
	"orders_polled_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "market_connections_platform_key" UNIQUE("store_id","platform"),
	CONSTRAINT "market_connections_platform_known" CHECK ("market_connections"."platform" in ('shopee', 'lazada', 'tokopedia')),
	CONSTRAINT "market_connections_status_known" CHECK ("market_connections"."status" in ('connected', 'disconnected', 'error')),
	CONSTRAINT "market_connections_connected_has_tokens" CHECK ("market_connections"."status" <> 'connected' or ("market_connections"."shop_id" is not null and "market_connections"."access_token_enc" is not null and "market_connections"."refresh_token_enc" is not null and "market_connections"."access_expires_at" is not null))
);
--> statement-breakpoint
CREATE TABLE "market_listing_images" (
	"connection_id" uuid NOT NULL,
	"url" text NOT NULL,
	"ref" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "market_listing_images_pkey" PRIMARY KEY("connection_id","url")
);
--> statement-breakpoint
CREATE TABLE "market_listings" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"product_id" uuid NOT NULL,
	"connection_id" uuid NOT NULL,
	"item_id" text,
	"sku_id" text,
	"remote_category_id" text,
	"shown" boolean DEFAULT false NOT NULL,
	"pushed_price" bigint,
	"pushed_stock" integer,
	"pushed_content" text,
	"changes" integer DEFAULT 1 NOT NULL,
	"dirty" boolean DEFAULT true NOT NULL,
	"verify" boolean DEFAULT false NOT NULL,
	"sync_status" text DEFAULT 'pending' NOT NULL,
	"reason" text,
	"attempts" integer DEFAULT 0 NOT NULL,
	"retry_at" timestamp with time zone,
	"claim_id" uuid,
	"claim_until" timestamp with time zone,
	"doubt_at" timestamp with time zone,
	"last_synced_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "market_listings_product_key" UNIQUE("connection_id","product_id"),
	CONSTRAINT "market_listings_sync_status_known" CHECK ("market_listings"."sync_status" in ('pending', 'synced', 'error'))
);
--> statement-breakpoint
CREATE TABLE "market_category_mappings" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"connection_id" uuid NOT NULL,
	"category_id" uuid,
	"remote_category_id" text NOT NULL,
	"brand" text,
	"attributes" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"size_cm" jsonb,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "market_category_mappings_key" UNIQUE NULLS NOT DISTINCT("connection_id","category_id")
);
--> statement-breakpoint
CREATE TABLE "market_oauth_states" (
	"nonce" text PRIMARY KEY NOT NULL,
	"user_id" bigint NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "market_remote_categories" (
	"platform" text NOT NULL,
	"id" text NOT NULL,
	"path" text[] NOT NULL,
	"words" text NOT NULL,
	"attributes" jsonb,
	"attributes_at" timestamp with time zone,
	CONSTRAINT "market_remote_categories_pkey" PRIMARY KEY("platform","id")
);
--> statement-breakpoint
CREATE TABLE "market_remote_trees" (
	"platform" text PRIMARY KEY NOT NULL,
	"fetched_at" timestamp with time zone NOT NULL,
	"leaves" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "market_sync_items" (
	"run_id" uuid NOT NULL,
	"listing_id" uuid NOT NULL,
	"changes" integer NOT NULL,
	"outcome" text,
	"reason" text,
	"finished_at" timestamp with time zone,
	CONSTRAINT "market_sync_items_pkey" PRIMARY KEY("run_id","listing_id"),
	CONSTRAINT "market_sync_items_outcome_known" CHECK ("market_sync_items"."outcome" is null or "market_sync_items"."outcome" in ('synced', 'failed'))
);
--> statement-breakpoint
CREATE TABLE "market_sync_runs" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"connection_id" uuid NOT NULL,
	"requested_by" bigint,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "market_bank_accounts" (
	"seller_id" bigint PRIMARY KEY NOT NULL,
	"bank_code" text NOT NULL,
	"sealed_number" text NOT NULL,
	"number_last4" text NOT NULL,
	"holder" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "market_bank_accounts_last4" CHECK ("market_bank_accounts"."number_last4" ~ '^[0-9]{4}$')
);
--> statement-breakpoint
CREATE TABLE "market_payouts" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"seller_id" bigint NOT NULL,
	"amount" bigint NOT NULL,
	"state" text DEFAULT 'requested' NOT NULL,
	"bank_code" text NOT NULL,
	"sealed_number" text NOT NULL,
	"number_last4" text NOT NULL,
	"holder" text NOT NULL,
	"needs_second" boolean NOT NULL,
	"approved_by" bigint,
	"approved_at" timestamp with time zone,
	"seconded_by" bigint,
	"seconded_at" timestamp with time zone,
	"closed_by" bigint,
	"closed_at" timestamp with time zone,
	"closed_reason" text,
	"transfer_reference" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "market_payouts_transfer_key" UNIQUE("transfer_reference"),
	CONSTRAINT "market_payouts_amount_positive" CHECK ("market_payouts"."amount" > 0),
	CONSTRAINT "market_payouts_state_known" CHECK ("market_payouts"."state" in ('requested', 'approved', 'paid', 'rejected', 'cancelled')),
	CONSTRAINT "market_payouts_two_persons" CHECK ("market_payouts"."state" not in ('approved', 'paid') or ("market_payouts"."approved_by" is not null and "market_payouts"."approved_by" <> "market_payouts"."seller_id" and (not "market_payouts"."needs_second" or ("market_payouts"."seconded_by" is not null and "market_payouts"."seconded_by" <> "market_payouts"."approved_by" and "market_payouts"."seconded_by" <> "market_payouts"."seller_id")))),
	CONSTRAINT "market_payouts_paid_is_referenced" CHECK (("market_payouts"."state" = 'paid') = ("market_payouts"."transfer_reference" is not null))
);
--> statement-breakpoint
CREATE TABLE "market_refunds" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"order_id" uuid NOT NULL,
	"goods_amount" bigint NOT NULL,
	"shipping_amount" bigint DEFAULT 0 NOT NULL,
	"promo_amount" bigint DEFAULT 0 NOT NULL,
	"commission_amount" bigint NOT NULL,
	"seller_amount" bigint NOT NULL,
	"tax_amount" bigint DEFAULT 0 NOT NULL,
	"after_delivery" boolean NOT NULL,
	"paid_to" text NOT NULL,
	"reason" text NOT NULL,
	"requested_by" bigint NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "market_refunds_sum" CHECK ("market_refunds"."goods_amount" + "market_refunds"."promo_amount" = "market_refunds"."commission_amount" + "market_refunds"."seller_amount"),
	CONSTRAINT "market_refunds_positive" CHECK (least("market_refunds"."goods_amount", "market_refunds"."shipping_amount", "market_refunds"."promo_amount", "market_refunds"."commission_amount", "market_refunds"."seller_amount", "market_refunds"."tax_amount") >= 0),
	CONSTRAINT "market_refunds_paid_to_known" CHECK ("market_refunds"."paid_to" in ('payment', 'wallet'))
);
--> statement-breakpoint
CREATE TABLE "market_tax_statements" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"seller_id" bigint NOT NULL,
	"year" integer NOT NULL,
	"sealed_tax_id" text NOT NULL,
	"tax_id_last4" text NOT NULL,
	"filed_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "market_tax_statements_year_key" UNIQUE("seller_id","year")
);
--> statement-breakpoint
CREATE TABLE "market_turnovers" (
	"seller_id" bigint NOT NULL,
	"year" integer NOT NULL,
	"amount" bigint NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "market_turnovers_pkey" PRIMARY KEY("seller_id","year")
);
--> statement-breakpoint
CREATE TABLE "market_withholdings" (
	"order_id" uuid PRIMARY KEY NOT NULL,
	"seller_id" bigint NOT NULL,
	"year" integer NOT NULL,
	"gross_amount" bigint NOT NULL,
	"taxed_amount" bigint NOT NULL,
	"tax_amount" bigint NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "market_withholdings_sane" CHECK ("market_withholdings"."taxed_amount" between 0 and "market_withholdings"."gross_amount" and "market_withholdings"."tax_amount" between 0 and "market_withholdings"."taxed_amount")
);
--> statement-breakpoint
CREATE TABLE "market_banners" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"image_url" text NOT NULL,
	"cta_link" text,
	"sort_order" integer DEFAULT 0 NOT NULL,
	"is_active" boolean DEFAULT true NOT NULL,
	"starts_at" timestamp with time zone,
	"ends_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "market_banners_dates" CHECK ("market_banners"."ends_at" > "market_banners"."starts_at")
);
--> statement-breakpoint
CREATE TABLE "market_feature_flags" (
	"store_id" uuid NOT NULL,
	"flag" text NOT NULL,
	"is_on" boolean NOT NULL,
	"updated_by" bigint NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "market_feature_flags_pkey" PRIMARY KEY("store_id","flag")
);
--> statement-breakpoint
CREATE TABLE "market_store_days" (
	"store_id" uuid NOT NULL,
	"day" date NOT NULL,
	"orders" integer DEFAULT 0 NOT NULL,
	"sales" bigint DEFAULT 0 NOT NULL,
	"commission" bigint DEFAULT 0 NOT NULL,
	"promo" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "market_store_days_pkey" PRIMARY KEY("store_id","day")
);
--> statement-breakpoint
CREATE TABLE "market_store_deletions" (
	"store_id" uuid PRIMARY KEY NOT NULL,
	"requested_by" bigint NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "market_photos" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"store_id" uuid NOT NULL,
	"product_id" uuid NOT NULL,
	"requested_by" bigint NOT NULL,
	"source_url" text NOT NULL,
	"status" text DEFAULT 'queued' NOT NULL,
	"reason" text,
	"job_id" uuid,
	"sent_at" timestamp with time zone,
	"prediction_id" text,
	"result_url" text,
	"run_ms" integer,
	"cost_micro_usd" integer,
	"finished_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "market_photos_prediction_key" UNIQUE("prediction_id"),
	CONSTRAINT "market_photos_status_known" CHECK ("market_photos"."status" in ('queued', 'running', 'ready', 'failed')),
	CONSTRAINT "market_photos_ready_has_result" CHECK (("market_photos"."status" = 'ready') = ("market_photos"."result_url" is not null))
);
--> statement-breakpoint
CREATE TABLE "market_instagram_accounts" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"store_id" uuid NOT NULL,
	"status" text DEFAULT 'disconnected' NOT NULL,
	"status_reason" text,
	"account_id" text,
	"username" text,
	"access_token_enc" text,
	"token_made_at" timestamp with time zone,
	"token_expires_at" timestamp with time zone,
	"renew_at" timestamp with time zone,
	"generation" integer DEFAULT 0 NOT NULL,
	"connected_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "market_instagram_accounts_store_key" UNIQUE("store_id"),
	CONSTRAINT "market_instagram_accounts_status_known" CHECK ("market_instagram_accounts"."status" in ('connected', 'disconnected', 'error')),
	CONSTRAINT "market_instagram_accounts_connected_has_token" CHECK ("market_instagram_accounts"."status" <> 'connected' or ("market_instagram_accounts"."account_id" is not null and "market_instagram_accounts"."access_token_enc" is not null and "market_instagram_accounts"."token_expires_at" is not null))
);
--> statement-breakpoint
CREATE TABLE "market_instagram_posts" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"store_id" uuid NOT NULL,
	"product_id" uuid,
	"caption" text NOT NULL,
	"image_url" text,
	"status" text DEFAULT 'draft' NOT NULL,
	"scheduled_at" timestamp with time zone,
	"run" integer DEFAULT 0 NOT NULL,
	"job_id" uuid,
	"started_at" timestamp with time zone,
	"reason" text,
	"troubles" integer DEFAULT 0 NOT NULL,
	"container_id" text,
	"container_account" text,
	"container_at" timestamp with time zone,
	"containers" integer DEFAULT 0 NOT NULL,
	"container_stale" boolean DEFAULT false NOT NULL,
	"publish_sent_at" timestamp with time zone,
	"media_id" text,
	"permalink" text,
	"published_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "market_instagram_posts_media_key" UNIQUE("media_id"),
	CONSTRAINT "market_instagram_posts_status_known" CHECK ("market_instagram_posts"."status" in ('draft', 'published', 'failed')),
	CONSTRAINT "market_instagram_posts_started_is_draft" CHECK ("market_instagram_posts"."started_at" is null or "market_instagram_posts"."status" = 'draft'),
	CONSTRAINT "market_instagram_posts_scheduled_has_picture" CHECK ("market_instagram_posts"."scheduled_at" is null or "market_instagram_posts"."image_url" is not null)
);
--> statement-breakpoint
CREATE TABLE "market_search_entries" (
	"product_id" uuid,
	"store_id" uuid NOT NULL,
	"category_id" uuid,
	"price" bigint NOT NULL,
	"in_stock" boolean NOT NULL,
	"is_featured" boolean NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"words" "tsvector" NOT NULL,
	CONSTRAINT "market_search_entries_pkey" PRIMARY KEY("product_id")
);
--> statement-breakpoint
CREATE TABLE "market_search_words" (
	"word" text PRIMARY KEY NOT NULL
);
--> statement-breakpoint
ALTER TABLE "ledger_accounts" DROP CONSTRAINT "ledger_accounts_kind_known";--> statement-breakpoint
ALTER TABLE "ledger_accounts" DROP CONSTRAINT "ledger_accounts_overdraft_kinds";--> statement-breakpoint
ALTER TABLE "market_orders" ADD COLUMN "tax_basis_points" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "market_assistant_actions" ADD CONSTRAINT "market_assistant_actions_user_id_identity_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_assistant_messages" ADD CONSTRAINT "market_assistant_messages_session_id_market_assistant_sessions_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."market_assistant_sessions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_assistant_proposals" ADD CONSTRAINT "market_assistant_proposals_session_id_market_assistant_sessions_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."market_assistant_sessions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_assistant_proposals" ADD CONSTRAINT "market_assistant_proposals_user_id_identity_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_assistant_sessions" ADD CONSTRAINT "market_assistant_sessions_user_id_identity_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_assistant_usage" ADD CONSTRAINT "market_assistant_usage_user_id_identity_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_channel_lines" ADD CONSTRAINT "market_channel_lines_product_id_market_products_id_fk" FOREIGN KEY ("product_id") REFERENCES "public"."market_products"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_channel_lines" ADD CONSTRAINT "market_channel_lines_order_fk" FOREIGN KEY ("channel_order_id") REFERENCES "public"."market_channel_orders"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_channel_orders" ADD CONSTRAINT "market_channel_orders_connection_id_market_connections_id_fk" FOREIGN KEY ("connection_id") REFERENCES "public"."market_connections"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_channel_orders" ADD CONSTRAINT "market_channel_orders_order_id_market_orders_id_fk" FOREIGN KEY ("order_id") REFERENCES "public"."market_orders"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_connections" ADD CONSTRAINT "market_connections_store_id_market_stores_id_fk" FOREIGN KEY ("store_id") REFERENCES "public"."market_stores"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_listing_images" ADD CONSTRAINT "market_listing_images_connection_id_market_connections_id_fk" FOREIGN KEY ("connection_id") REFERENCES "public"."market_connections"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_listings" ADD CONSTRAINT "market_listings_product_id_market_products_id_fk" FOREIGN KEY ("product_id") REFERENCES "public"."market_products"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_listings" ADD CONSTRAINT "market_listings_connection_id_market_connections_id_fk" FOREIGN KEY ("connection_id") REFERENCES "public"."market_connections"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_category_mappings" ADD CONSTRAINT "market_category_mappings_connection_id_market_connections_id_fk" FOREIGN KEY ("connection_id") REFERENCES "public"."market_connections"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_category_mappings" ADD CONSTRAINT "market_category_mappings_category_id_market_categories_id_fk" FOREIGN KEY ("category_id") REFERENCES "public"."market_categories"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_oauth_states" ADD CONSTRAINT "market_oauth_states_user_id_identity_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_sync_items" ADD CONSTRAINT "market_sync_items_run_id_market_sync_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."market_sync_runs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_sync_items" ADD CONSTRAINT "market_sync_items_listing_id_market_listings_id_fk" FOREIGN KEY ("listing_id") REFERENCES "public"."market_listings"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_sync_runs" ADD CONSTRAINT "market_sync_runs_connection_id_market_connections_id_fk" FOREIGN KEY ("connection_id") REFERENCES "public"."market_connections"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_sync_runs" ADD CONSTRAINT "market_sync_runs_requested_by_identity_users_id_fk" FOREIGN KEY ("requested_by") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_bank_accounts" ADD CONSTRAINT "market_bank_accounts_seller_id_identity_users_id_fk" FOREIGN KEY ("seller_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_payouts" ADD CONSTRAINT "market_payouts_seller_id_identity_users_id_fk" FOREIGN KEY ("seller_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_payouts" ADD CONSTRAINT "market_payouts_approved_by_identity_users_id_fk" FOREIGN KEY ("approved_by") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_payouts" ADD CONSTRAINT "market_payouts_seconded_by_identity_users_id_fk" FOREIGN KEY ("seconded_by") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_payouts" ADD CONSTRAINT "market_payouts_closed_by_identity_users_id_fk" FOREIGN KEY ("closed_by") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_refunds" ADD CONSTRAINT "market_refunds_order_id_market_orders_id_fk" FOREIGN KEY ("order_id") REFERENCES "public"."market_orders"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_refunds" ADD CONSTRAINT "market_refunds_requested_by_identity_users_id_fk" FOREIGN KEY ("requested_by") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_tax_statements" ADD CONSTRAINT "market_tax_statements_seller_id_identity_users_id_fk" FOREIGN KEY ("seller_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_turnovers" ADD CONSTRAINT "market_turnovers_seller_id_identity_users_id_fk" FOREIGN KEY ("seller_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_withholdings" ADD CONSTRAINT "market_withholdings_order_id_market_orders_id_fk" FOREIGN KEY ("order_id") REFERENCES "public"."market_orders"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_withholdings" ADD CONSTRAINT "market_withholdings_seller_id_identity_users_id_fk" FOREIGN KEY ("seller_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_feature_flags" ADD CONSTRAINT "market_feature_flags_store_id_market_stores_id_fk" FOREIGN KEY ("store_id") REFERENCES "public"."market_stores"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_feature_flags" ADD CONSTRAINT "market_feature_flags_updated_by_identity_users_id_fk" FOREIGN KEY ("updated_by") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_store_deletions" ADD CONSTRAINT "market_store_deletions_store_id_market_stores_id_fk" FOREIGN KEY ("store_id") REFERENCES "public"."market_stores"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_store_deletions" ADD CONSTRAINT "market_store_deletions_requested_by_identity_users_id_fk" FOREIGN KEY ("requested_by") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_photos" ADD CONSTRAINT "market_photos_store_id_market_stores_id_fk" FOREIGN KEY ("store_id") REFERENCES "public"."market_stores"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_photos" ADD CONSTRAINT "market_photos_product_id_market_products_id_fk" FOREIGN KEY ("product_id") REFERENCES "public"."market_products"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_photos" ADD CONSTRAINT "market_photos_requested_by_identity_users_id_fk" FOREIGN KEY ("requested_by") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_instagram_accounts" ADD CONSTRAINT "market_instagram_accounts_store_id_market_stores_id_fk" FOREIGN KEY ("store_id") REFERENCES "public"."market_stores"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_instagram_posts" ADD CONSTRAINT "market_instagram_posts_store_id_market_stores_id_fk" FOREIGN KEY ("store_id") REFERENCES "public"."market_stores"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_instagram_posts" ADD CONSTRAINT "market_instagram_posts_product_id_market_products_id_fk" FOREIGN KEY ("product_id") REFERENCES "public"."market_products"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_search_entries" ADD CONSTRAINT "market_search_entries_product_id_market_products_id_fk" FOREIGN KEY ("product_id") REFERENCES "public"."market_products"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "market_search_entries" ADD CONSTRAINT "market_search_entries_store_id_market_stores_id_fk" FOREIGN KEY ("store_id") REFERENCES "public"."market_stores"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "market_assistant_actions_user_idx" ON "market_assistant_actions" USING btree ("user_id","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "market_assistant_actions_target_idx" ON "market_assistant_actions" USING btree ("target_id","created_at" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "market_assistant_messages_session_idx" ON "market_assistant_messages" USING btree ("session_id","id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "market_assistant_proposals_session_idx" ON "market_assistant_proposals" USING btree ("session_id","state");--> statement-breakpoint
CREATE INDEX "market_assistant_sessions_user_idx" ON "market_assistant_sessions" USING btree ("user_id","updated_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "market_channel_lines_product_idx" ON "market_channel_lines" USING btree ("product_id");--> statement-breakpoint
CREATE INDEX "market_channel_orders_order_idx" ON "market_channel_orders" USING btree ("order_id");--> statement-breakpoint
CREATE UNIQUE INDEX "market_connections_shop_key" ON "market_connections" USING btree ("platform","shop_id") WHERE "market_connections"."status" <> 'disconnected';--> statement-breakpoint
CREATE INDEX "market_connections_due_idx" ON "market_connections" USING btree ("access_expires_at") WHERE "market_connections"."status" = 'connected';--> statement-breakpoint
CREATE INDEX "market_listings_product_idx" ON "market_listings" USING btree ("product_id");--> statement-breakpoint
CREATE INDEX "market_listings_item_idx" ON "market_listings" USING btree ("connection_id","item_id");--> statement-breakpoint
CREATE INDEX "market_listings_dirty_idx" ON "market_listings" USING btree ("connection_id","retry_at") WHERE "market_listings"."dirty";--> statement-breakpoint
CREATE INDEX "market_category_mappings_category_idx" ON "market_category_mappings" USING btree ("category_id");--> statement-breakpoint
CREATE INDEX "market_oauth_states_expires_idx" ON "market_oauth_states" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "market_oauth_states_user_idx" ON "market_oauth_states" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "market_sync_items_open_idx" ON "market_sync_items" USING btree ("listing_id") WHERE "market_sync_items"."outcome" is null;--> statement-breakpoint
CREATE INDEX "market_sync_items_listing_idx" ON "market_sync_items" USING btree ("listing_id");--> statement-breakpoint
CREATE INDEX "market_sync_runs_connection_idx" ON "market_sync_runs" USING btree ("connection_id");--> statement-breakpoint
CREATE INDEX "market_sync_runs_requested_idx" ON "market_sync_runs" USING btree ("requested_by");--> statement-breakpoint
CREATE INDEX "market_sync_runs_created_idx" ON "market_sync_runs" USING btree ("created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "market_payouts_open_key" ON "market_payouts" USING btree ("seller_id") WHERE "market_payouts"."state" in ('requested', 'approved');--> statement-breakpoint
CREATE INDEX "market_payouts_seller_idx" ON "market_payouts" USING btree ("seller_id","id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "market_payouts_state_idx" ON "market_payouts" USING btree ("state","id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "market_payouts_approved_by_idx" ON "market_payouts" USING btree ("approved_by");--> statement-breakpoint
CREATE INDEX "market_payouts_seconded_by_idx" ON "market_payouts" USING btree ("seconded_by");--> statement-breakpoint
CREATE INDEX "market_payouts_closed_by_idx" ON "market_payouts" USING btree ("closed_by");--> statement-breakpoint
CREATE INDEX "market_refunds_order_idx" ON "market_refunds" USING btree ("order_id");--> statement-breakpoint
CREATE INDEX "market_refunds_created_idx" ON "market_refunds" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "market_refunds_requested_idx" ON "market_refunds" USING btree ("requested_by");--> statement-breakpoint
CREATE INDEX "market_withholdings_seller_idx" ON "market_withholdings" USING btree ("seller_id","year");--> statement-breakpoint
CREATE INDEX "market_banners_order_idx" ON "market_banners" USING btree ("sort_order","id");--> statement-breakpoint
CREATE INDEX "market_feature_flags_updated_by_idx" ON "market_feature_flags" USING btree ("updated_by");--> statement-breakpoint
CREATE INDEX "market_store_deletions_requested_by_idx" ON "market_store_deletions" USING btree ("requested_by");--> statement-breakpoint
CREATE UNIQUE INDEX "market_photos_source_key" ON "market_photos" USING btree ("store_id","source_url") WHERE "market_photos"."status" <> 'failed';--> statement-breakpoint
CREATE INDEX "market_photos_store_idx" ON "market_photos" USING btree ("store_id","created_at");--> statement-breakpoint
CREATE INDEX "market_photos_product_idx" ON "market_photos" USING btree ("product_id");--> statement-breakpoint
CREATE INDEX "market_photos_requested_idx" ON "market_photos" USING btree ("requested_by");--> statement-breakpoint
CREATE UNIQUE INDEX "market_instagram_accounts_account_key" ON "market_instagram_accounts" USING btree ("account_id") WHERE "market_instagram_accounts"."status" <> 'disconnected';--> statement-breakpoint
CREATE INDEX "market_instagram_accounts_due_idx" ON "market_instagram_accounts" USING btree ("renew_at") WHERE "market_instagram_accounts"."status" = 'connected';--> statement-breakpoint
CREATE INDEX "market_instagram_posts_store_idx" ON "market_instagram_posts" USING btree ("store_id","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "market_instagram_posts_product_idx" ON "market_instagram_posts" USING btree ("product_id");--> statement-breakpoint
CREATE INDEX "market_search_entries_words_idx" ON "market_search_entries" USING gin ("words");--> statement-breakpoint
CREATE INDEX "market_search_entries_newest_idx" ON "market_search_entries" USING btree ("created_at","product_id");--> statement-breakpoint
CREATE INDEX "market_search_entries_category_idx" ON "market_search_entries" USING btree ("category_id","created_at","product_id");--> statement-breakpoint
CREATE INDEX "market_search_entries_category_price_idx" ON "market_search_entries" USING btree ("category_id","price","product_id");--> statement-breakpoint
CREATE INDEX "market_search_entries_store_idx" ON "market_search_entries" USING btree ("store_id","created_at","product_id");--> statement-breakpoint
CREATE INDEX "market_search_entries_featured_idx" ON "market_search_entries" USING btree ("created_at","product_id") WHERE "market_search_entries"."is_featured";--> statement-breakpoint
CREATE INDEX "market_orders_open_idx" ON "market_orders" USING btree ("store_id","status") WHERE "market_orders"."status" in ('pending', 'paid', 'processing', 'shipped') or "market_orders"."held_after_cancel";--> statement-breakpoint
ALTER TABLE "ledger_accounts" ADD CONSTRAINT "ledger_accounts_kind_known" CHECK ("ledger_accounts"."kind" in ('wallet', 'escrow', 'gateway', 'refund_due', 'commission', 'courier', 'promo', 'payout', 'tax', 'advance'));--> statement-breakpoint
ALTER TABLE "ledger_accounts" ADD CONSTRAINT "ledger_accounts_overdraft_kinds" CHECK ("ledger_accounts"."may_overdraw" = ("ledger_accounts"."kind" in ('gateway', 'promo', 'advance')));