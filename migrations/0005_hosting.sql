CREATE TABLE "hosting_deploys" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"user_id" bigint NOT NULL,
	"website_id" uuid NOT NULL,
	"release_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"state" text DEFAULT 'queued' NOT NULL,
	"step" text DEFAULT 'waiting' NOT NULL,
	"previous_root" text,
	"marker" text,
	"failure" text,
	"job_id" uuid,
	"attempts" integer DEFAULT 0 NOT NULL,
	"rescues" integer DEFAULT 0 NOT NULL,
	"started_at" timestamp with time zone,
	"finished_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "hosting_deploys_kind_known" CHECK ("hosting_deploys"."kind" in ('deploy', 'rollback')),
	CONSTRAINT "hosting_deploys_state_known" CHECK ("hosting_deploys"."state" in ('queued', 'running', 'success', 'failed', 'cancelled')),
	CONSTRAINT "hosting_deploys_step_known" CHECK ("hosting_deploys"."step" in ('waiting', 'preparing', 'uploading', 'extracting', 'verifying', 'switching', 'checking', 'reverting', 'done')),
	CONSTRAINT "hosting_deploys_finished_dated" CHECK (("hosting_deploys"."state" in ('queued', 'running')) = ("hosting_deploys"."finished_at" is null))
);
--> statement-breakpoint
CREATE TABLE "hosting_releases" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"website_id" uuid NOT NULL,
	"upload_id" uuid NOT NULL,
	"original_name" text NOT NULL,
	"files" integer NOT NULL,
	"unpacked_bytes" bigint NOT NULL,
	"folder" text NOT NULL,
	"document_root" text NOT NULL,
	"state" text DEFAULT 'preparing' NOT NULL,
	"live_since" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "hosting_releases_state_known" CHECK ("hosting_releases"."state" in ('preparing', 'ready', 'live', 'removing', 'removed')),
	CONSTRAINT "hosting_releases_live_dated" CHECK ("hosting_releases"."state" not in ('ready', 'live') or "hosting_releases"."live_since" is not null)
);
--> statement-breakpoint
CREATE TABLE "hosting_invoice_counters" (
	"year" integer PRIMARY KEY NOT NULL,
	"last" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "hosting_invoices" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"order_id" uuid NOT NULL,
	"user_id" bigint NOT NULL,
	"number" text NOT NULL,
	"year" integer NOT NULL,
	"serial" integer NOT NULL,
	"content" jsonb NOT NULL,
	"issued_at" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "hosting_invoices_order_key" UNIQUE("order_id"),
	CONSTRAINT "hosting_invoices_number_key" UNIQUE("number"),
	CONSTRAINT "hosting_invoices_serial_key" UNIQUE("year","serial"),
	CONSTRAINT "hosting_invoices_serial_positive" CHECK ("hosting_invoices"."serial" > 0)
);
--> statement-breakpoint
CREATE TABLE "hosting_orders" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"user_id" bigint NOT NULL,
	"plan_id" uuid NOT NULL,
	"plan_name" text NOT NULL,
	"plan_type" text NOT NULL,
	"monthly_price" bigint NOT NULL,
	"duration" integer NOT NULL,
	"price" bigint NOT NULL,
	"status" text DEFAULT 'PENDING' NOT NULL,
	"domain" text DEFAULT '' NOT NULL,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"terms" jsonb NOT NULL,
	"intent_id" uuid,
	"pay_key" text NOT NULL,
	"asking_until" timestamp with time zone,
	"expires_at" timestamp with time zone,
	"paid_at" timestamp with time zone,
	"closed_reason" text,
	"holds_slot" boolean DEFAULT false NOT NULL,
	"renews_subscription_id" uuid,
	"renews_period" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "hosting_orders_intent_key" UNIQUE("intent_id"),
	CONSTRAINT "hosting_orders_type_known" CHECK ("hosting_orders"."plan_type" in ('HOSTING', 'VPS')),
	CONSTRAINT "hosting_orders_duration_known" CHECK ("hosting_orders"."duration" in (1, 3, 6, 12, 24)),
	CONSTRAINT "hosting_orders_price_adds_up" CHECK ("hosting_orders"."price" = "hosting_orders"."monthly_price" * "hosting_orders"."duration"),
	CONSTRAINT "hosting_orders_status_known" CHECK ("hosting_orders"."status" in ('PENDING', 'COMPLETED', 'FAILED', 'CANCELLED', 'EXPIRED')),
	CONSTRAINT "hosting_orders_paid_once" CHECK (("hosting_orders"."status" = 'COMPLETED') = ("hosting_orders"."paid_at" is not null)),
	CONSTRAINT "hosting_orders_renewal_whole" CHECK (("hosting_orders"."renews_subscription_id" is null) = ("hosting_orders"."renews_period" is null))
);
--> statement-breakpoint
CREATE TABLE "hosting_plans" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"name" text NOT NULL,
	"display_name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"type" text NOT NULL,
	"price" bigint NOT NULL,
	"storage" text DEFAULT '' NOT NULL,
	"bandwidth" text DEFAULT '' NOT NULL,
	"websites" text DEFAULT '' NOT NULL,
	"features" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"slots" integer,
	"slots_taken" integer DEFAULT 0 NOT NULL,
	"is_active" boolean DEFAULT true NOT NULL,
	"is_popular" boolean DEFAULT false NOT NULL,
	"is_sold_out" boolean DEFAULT false NOT NULL,
	"sort_order" integer DEFAULT 0 NOT NULL,
	"deleted_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "hosting_plans_name_lower" CHECK ("hosting_plans"."name" = lower("hosting_plans"."name")),
	CONSTRAINT "hosting_plans_type_known" CHECK ("hosting_plans"."type" in ('HOSTING', 'VPS')),
	CONSTRAINT "hosting_plans_price_bounded" CHECK ("hosting_plans"."price" between 1000 and 100000000),
	CONSTRAINT "hosting_plans_slots_counted" CHECK ("hosting_plans"."slots_taken" >= 0 and "hosting_plans"."slots" >= 0)
);
--> statement-breakpoint
CREATE TABLE "hosting_renewal_failures" (
	"subscription_id" uuid NOT NULL,
	"day" date NOT NULL,
	"error" text NOT NULL,
	"attempts" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "hosting_renewal_failures_day_subscription_id_pk" PRIMARY KEY("day","subscription_id")
);
--> statement-breakpoint
CREATE TABLE "hosting_renewal_steps" (
	"subscription_id" uuid NOT NULL,
	"period_end" timestamp with time zone NOT NULL,
	"step" text NOT NULL,
	"announced_at" timestamp with time zone,
	"done_at" timestamp with time zone NOT NULL,
	CONSTRAINT "hosting_renewal_steps_subscription_id_period_end_step_pk" PRIMARY KEY("subscription_id","period_end","step"),
	CONSTRAINT "hosting_renewal_steps_step_known" CHECK ("hosting_renewal_steps"."step" in ('order', 'remind_3', 'remind_1', 'remind_0', 'suspend', 'warn_7', 'warn_1', 'delete')),
	CONSTRAINT "hosting_renewal_steps_warning_dated" CHECK (("hosting_renewal_steps"."step" in ('warn_7', 'warn_1')) = ("hosting_renewal_steps"."announced_at" is not null))
);
--> statement-breakpoint
CREATE TABLE "hosting_servers" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"name" text NOT NULL,
	"driver" text NOT NULL,
	"base_url" text NOT NULL,
	"sealed_key" text,
	"web_address" text NOT NULL,
	"ftp_host" text NOT NULL,
	"sites_path" text NOT NULL,
	"php_version" text,
	"has_databases" boolean DEFAULT true NOT NULL,
	"capacity" integer NOT NULL,
	"sites" integer DEFAULT 0 NOT NULL,
	"is_active" boolean DEFAULT true NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "hosting_servers_base_url_key" UNIQUE("base_url"),
	CONSTRAINT "hosting_servers_driver_known" CHECK ("hosting_servers"."driver" in ('aapanel', 'agent')),
	CONSTRAINT "hosting_servers_sites_counted" CHECK ("hosting_servers"."sites" >= 0 and "hosting_servers"."capacity" >= 0),
	CONSTRAINT "hosting_servers_sites_path_absolute" CHECK ("hosting_servers"."sites_path" ~ '^/[a-z0-9/_-]+[a-z0-9]$')
);
--> statement-breakpoint
CREATE TABLE "hosting_subscriptions" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"user_id" bigint NOT NULL,
	"order_id" uuid NOT NULL,
	"plan_id" uuid NOT NULL,
	"plan_name" text NOT NULL,
	"plan_type" text NOT NULL,
	"status" text DEFAULT 'ACTIVE' NOT NULL,
	"start_date" timestamp with time zone NOT NULL,
	"end_date" timestamp with time zone NOT NULL,
	"anchor_day" integer NOT NULL,
	"duration" integer NOT NULL,
	"price" bigint NOT NULL,
	"auto_renew" boolean DEFAULT true NOT NULL,
	"suspended_at" timestamp with time zone,
	"deleted_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "hosting_subscriptions_order_key" UNIQUE("order_id"),
	CONSTRAINT "hosting_subscriptions_type_known" CHECK ("hosting_subscriptions"."plan_type" in ('HOSTING', 'VPS')),
	CONSTRAINT "hosting_subscriptions_status_known" CHECK ("hosting_subscriptions"."status" in ('ACTIVE', 'SUSPENDED', 'EXPIRED', 'CANCELLED')),
	CONSTRAINT "hosting_subscriptions_runs_forward" CHECK ("hosting_subscriptions"."end_date" > "hosting_subscriptions"."start_date"),
	CONSTRAINT "hosting_subscriptions_anchor_is_day" CHECK ("hosting_subscriptions"."anchor_day" between 1 and 31),
	CONSTRAINT "hosting_subscriptions_duration_known" CHECK ("hosting_subscriptions"."duration" in (1, 3, 6, 12, 24))
);
--> statement-breakpoint
CREATE TABLE "hosting_uploads" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"user_id" bigint NOT NULL,
	"website_id" uuid,
	"state" text DEFAULT 'receiving' NOT NULL,
	"key" text NOT NULL,
	"multipart_id" text,
	"original_name" text,
	"format" text,
	"size" bigint,
	"stored_size" bigint,
	"files" integer,
	"unpacked_bytes" bigint,
	"top" jsonb,
	"stored_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "hosting_uploads_key_key" UNIQUE("key"),
	CONSTRAINT "hosting_uploads_state_known" CHECK ("hosting_uploads"."state" in ('receiving', 'stored', 'removing')),
	CONSTRAINT "hosting_uploads_format_known" CHECK ("hosting_uploads"."format" in ('zip', 'tar.gz', 'tar')),
	CONSTRAINT "hosting_uploads_stored_is_whole" CHECK ("hosting_uploads"."state" <> 'stored' or ("hosting_uploads"."website_id" is not null and "hosting_uploads"."original_name" is not null
        and "hosting_uploads"."format" is not null and "hosting_uploads"."size" > 0 and "hosting_uploads"."stored_size" > 0 and "hosting_uploads"."files" > 0
        and "hosting_uploads"."unpacked_bytes" is not null and "hosting_uploads"."top" is not null and "hosting_uploads"."stored_at" is not null))
);
--> statement-breakpoint
CREATE TABLE "hosting_websites" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"user_id" bigint NOT NULL,
	"subscription_id" uuid NOT NULL,
	"server_id" uuid NOT NULL,
	"domain" text NOT NULL,
	"status" text DEFAULT 'PENDING' NOT NULL,
	"wanted" text DEFAULT 'active' NOT NULL,
	"order_number" integer DEFAULT 0 NOT NULL,
	"order_done" integer DEFAULT 0 NOT NULL,
	"turn_job" uuid,
	"turn_until" timestamp with time zone,
	"create_job_id" uuid,
	"create_sent_at" timestamp with time zone,
	"failure" text,
	"host_site_id" text,
	"root" text,
	"document_root" text DEFAULT '' NOT NULL,
	"ftp_username" text NOT NULL,
	"sealed_ftp_password" text NOT NULL,
	"database_name" text,
	"sealed_database_password" text,
	"certificate_job_id" uuid,
	"certificate_until" timestamp with time zone,
	"deleted_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "hosting_websites_ftp_username_key" UNIQUE("ftp_username"),
	CONSTRAINT "hosting_websites_status_known" CHECK ("hosting_websites"."status" in ('PENDING', 'ACTIVE', 'SUSPENDED', 'DELETED')),
	CONSTRAINT "hosting_websites_wanted_known" CHECK ("hosting_websites"."wanted" in ('active', 'suspended', 'deleted')),
	CONSTRAINT "hosting_websites_domain_plain" CHECK ("hosting_websites"."domain" ~ '^[a-z0-9.-]{3,253}$'),
	CONSTRAINT "hosting_websites_orders_forward" CHECK ("hosting_websites"."order_done" <= "hosting_websites"."order_number"),
	CONSTRAINT "hosting_websites_live_is_placed" CHECK ("hosting_websites"."status" not in ('ACTIVE', 'SUSPENDED') or ("hosting_websites"."host_site_id" is not null and "hosting_websites"."root" is not null)),
	CONSTRAINT "hosting_websites_deleted_dated" CHECK (("hosting_websites"."status" = 'DELETED') = ("hosting_websites"."deleted_at" is not null))
);
--> statement-breakpoint
ALTER TABLE "hosting_deploys" ADD CONSTRAINT "hosting_deploys_user_id_identity_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hosting_deploys" ADD CONSTRAINT "hosting_deploys_website_id_hosting_websites_id_fk" FOREIGN KEY ("website_id") REFERENCES "public"."hosting_websites"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hosting_deploys" ADD CONSTRAINT "hosting_deploys_release_id_hosting_releases_id_fk" FOREIGN KEY ("release_id") REFERENCES "public"."hosting_releases"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hosting_releases" ADD CONSTRAINT "hosting_releases_website_id_hosting_websites_id_fk" FOREIGN KEY ("website_id") REFERENCES "public"."hosting_websites"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hosting_invoices" ADD CONSTRAINT "hosting_invoices_order_id_hosting_orders_id_fk" FOREIGN KEY ("order_id") REFERENCES "public"."hosting_orders"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hosting_invoices" ADD CONSTRAINT "hosting_invoices_user_id_identity_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hosting_orders" ADD CONSTRAINT "hosting_orders_user_id_identity_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hosting_orders" ADD CONSTRAINT "hosting_orders_plan_id_hosting_plans_id_fk" FOREIGN KEY ("plan_id") REFERENCES "public"."hosting_plans"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hosting_orders" ADD CONSTRAINT "hosting_orders_intent_id_payments_intents_id_fk" FOREIGN KEY ("intent_id") REFERENCES "public"."payments_intents"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hosting_orders" ADD CONSTRAINT "hosting_orders_renews_subscription_id_hosting_subscriptions_id_fk" FOREIGN KEY ("renews_subscription_id") REFERENCES "public"."hosting_subscriptions"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hosting_renewal_failures" ADD CONSTRAINT "hosting_renewal_failures_subscription_id_hosting_subscriptions_id_fk" FOREIGN KEY ("subscription_id") REFERENCES "public"."hosting_subscriptions"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hosting_renewal_steps" ADD CONSTRAINT "hosting_renewal_steps_subscription_id_hosting_subscriptions_id_fk" FOREIGN KEY ("subscription_id") REFERENCES "public"."hosting_subscriptions"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hosting_subscriptions" ADD CONSTRAINT "hosting_subscriptions_user_id_identity_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hosting_subscriptions" ADD CONSTRAINT "hosting_subscriptions_order_id_hosting_orders_id_fk" FOREIGN KEY ("order_id") REFERENCES "public"."hosting_orders"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hosting_subscriptions" ADD CONSTRAINT "hosting_subscriptions_plan_id_hosting_plans_id_fk" FOREIGN KEY ("plan_id") REFERENCES "public"."hosting_plans"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hosting_uploads" ADD CONSTRAINT "hosting_uploads_user_id_identity_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hosting_uploads" ADD CONSTRAINT "hosting_uploads_website_id_hosting_websites_id_fk" FOREIGN KEY ("website_id") REFERENCES "public"."hosting_websites"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hosting_websites" ADD CONSTRAINT "hosting_websites_user_id_identity_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hosting_websites" ADD CONSTRAINT "hosting_websites_subscription_id_hosting_subscriptions_id_fk" FOREIGN KEY ("subscription_id") REFERENCES "public"."hosting_subscriptions"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hosting_websites" ADD CONSTRAINT "hosting_websites_server_id_hosting_servers_id_fk" FOREIGN KEY ("server_id") REFERENCES "public"."hosting_servers"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "hosting_deploys_one_at_a_time" ON "hosting_deploys" USING btree ("website_id") WHERE "hosting_deploys"."state" in ('queued', 'running');--> statement-breakpoint
CREATE INDEX "hosting_deploys_website_idx" ON "hosting_deploys" USING btree ("website_id","id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "hosting_deploys_release_idx" ON "hosting_deploys" USING btree ("release_id");--> statement-breakpoint
CREATE INDEX "hosting_deploys_open_idx" ON "hosting_deploys" USING btree ("updated_at") WHERE "hosting_deploys"."state" in ('queued', 'running');--> statement-breakpoint
CREATE UNIQUE INDEX "hosting_releases_one_live" ON "hosting_releases" USING btree ("website_id") WHERE "hosting_releases"."state" = 'live';--> statement-breakpoint
CREATE INDEX "hosting_releases_website_idx" ON "hosting_releases" USING btree ("website_id","id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "hosting_releases_removing_idx" ON "hosting_releases" USING btree ("updated_at") WHERE "hosting_releases"."state" = 'removing';--> statement-breakpoint
CREATE INDEX "hosting_invoices_user_idx" ON "hosting_invoices" USING btree ("user_id","id" DESC NULLS FIRST);--> statement-breakpoint
CREATE UNIQUE INDEX "hosting_orders_click_key" ON "hosting_orders" USING btree ("user_id","plan_id","duration","domain") WHERE "hosting_orders"."status" = 'PENDING' and "hosting_orders"."renews_subscription_id" is null;--> statement-breakpoint
CREATE UNIQUE INDEX "hosting_orders_renewal_key" ON "hosting_orders" USING btree ("renews_subscription_id","renews_period") WHERE "hosting_orders"."status" in ('PENDING', 'COMPLETED');--> statement-breakpoint
CREATE INDEX "hosting_orders_user_idx" ON "hosting_orders" USING btree ("user_id","id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "hosting_orders_plan_idx" ON "hosting_orders" USING btree ("plan_id");--> statement-breakpoint
CREATE UNIQUE INDEX "hosting_plans_name_key" ON "hosting_plans" USING btree ("name") WHERE "hosting_plans"."deleted_at" is null;--> statement-breakpoint
CREATE INDEX "hosting_subscriptions_user_idx" ON "hosting_subscriptions" USING btree ("user_id","id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "hosting_subscriptions_plan_idx" ON "hosting_subscriptions" USING btree ("plan_id");--> statement-breakpoint
CREATE INDEX "hosting_subscriptions_end_idx" ON "hosting_subscriptions" USING btree ("end_date","id") WHERE "hosting_subscriptions"."deleted_at" is null;--> statement-breakpoint
CREATE INDEX "hosting_uploads_website_idx" ON "hosting_uploads" USING btree ("website_id","id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "hosting_uploads_user_idx" ON "hosting_uploads" USING btree ("user_id","id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "hosting_uploads_passing_idx" ON "hosting_uploads" USING btree ("updated_at") WHERE "hosting_uploads"."state" <> 'stored';--> statement-breakpoint
CREATE INDEX "hosting_uploads_stored_idx" ON "hosting_uploads" USING btree ("stored_at") WHERE "hosting_uploads"."state" = 'stored';--> statement-breakpoint
CREATE UNIQUE INDEX "hosting_websites_domain_key" ON "hosting_websites" USING btree ("domain") WHERE "hosting_websites"."status" <> 'DELETED';--> statement-breakpoint
CREATE UNIQUE INDEX "hosting_websites_subscription_key" ON "hosting_websites" USING btree ("subscription_id") WHERE "hosting_websites"."status" <> 'DELETED';--> statement-breakpoint
CREATE INDEX "hosting_websites_user_idx" ON "hosting_websites" USING btree ("user_id","id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "hosting_websites_subscription_idx" ON "hosting_websites" USING btree ("subscription_id","id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "hosting_websites_server_idx" ON "hosting_websites" USING btree ("server_id");