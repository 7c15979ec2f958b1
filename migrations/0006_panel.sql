CREATE TABLE "live_host_weeks" (
	"host_id" bigint PRIMARY KEY NOT NULL,
	"since" timestamp with time zone NOT NULL,
	"coins" bigint NOT NULL,
	CONSTRAINT "live_host_weeks_coins_positive" CHECK ("live_host_weeks"."coins" >= 0)
);
--> statement-breakpoint
CREATE TABLE "topup_supplier_deposits" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"amount" bigint NOT NULL,
	"paid_at" timestamp with time zone NOT NULL,
	"note" text NOT NULL,
	"actor_id" bigint NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "topup_supplier_deposits_amount" CHECK ("topup_supplier_deposits"."amount" <> 0)
);
--> statement-breakpoint
CREATE TABLE "topup_catalogue_version" (
	"one" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"version" uuid DEFAULT gen_random_uuid() NOT NULL,
	CONSTRAINT "topup_catalogue_version_one" CHECK ("topup_catalogue_version"."one")
);
--> statement-breakpoint
CREATE TABLE "panel_backup_parts" (
	"backup_id" uuid NOT NULL,
	"n" integer NOT NULL,
	"bytes" bigint NOT NULL,
	"sha256" text NOT NULL,
	"etag" text NOT NULL,
	CONSTRAINT "panel_backup_parts_pkey" PRIMARY KEY("backup_id","n")
);
--> statement-breakpoint
CREATE TABLE "panel_backup_policies" (
	"server_id" text PRIMARY KEY NOT NULL,
	"enabled" boolean DEFAULT true NOT NULL,
	"state" boolean DEFAULT true NOT NULL,
	"sites" boolean DEFAULT true NOT NULL,
	"databases" boolean DEFAULT true NOT NULL,
	"hour" integer DEFAULT 2 NOT NULL,
	"keep_daily" integer DEFAULT 7 NOT NULL,
	"keep_weekly" integer DEFAULT 4 NOT NULL,
	"keep_monthly" integer DEFAULT 6 NOT NULL,
	"to_r2" boolean DEFAULT true NOT NULL,
	"prove_days" integer DEFAULT 7 NOT NULL,
	"unproven_days" integer DEFAULT 9 NOT NULL,
	"ran_on" date,
	"databases_ran_on" date,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "panel_backup_policies_hour" CHECK ("panel_backup_policies"."hour" between 0 and 23),
	CONSTRAINT "panel_backup_policies_keeps" CHECK ("panel_backup_policies"."keep_daily" between 1 and 365 and "panel_backup_policies"."keep_weekly" between 0 and 260 and "panel_backup_policies"."keep_monthly" between 0 and 120),
	CONSTRAINT "panel_backup_policies_proves" CHECK ("panel_backup_policies"."prove_days" between 1 and 90 and "panel_backup_policies"."unproven_days" > "panel_backup_policies"."prove_days" and "panel_backup_policies"."unproven_days" <= 180)
);
--> statement-breakpoint
CREATE TABLE "panel_backup_restores" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"backup_id" uuid,
	"server_id" text NOT NULL,
	"session_id" uuid,
	"requested_by" bigint,
	"applied_at" timestamp with time zone,
	"counts" jsonb,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "panel_backups" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"server_id" text NOT NULL,
	"name" text NOT NULL,
	"kind" text NOT NULL,
	"subject" text NOT NULL,
	"state" text DEFAULT 'making' NOT NULL,
	"origin" text NOT NULL,
	"file" text,
	"bytes" bigint,
	"plain_bytes" bigint,
	"sha256" text,
	"manifest_sha256" text,
	"counts" jsonb,
	"notes" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"error" text,
	"state_sha256" text,
	"state_claim" text,
	"on_disk" boolean DEFAULT true NOT NULL,
	"r2_state" text DEFAULT 'none' NOT NULL,
	"r2_upload_id" text,
	"r2_part_bytes" integer,
	"last_proven_at" timestamp with time zone,
	"restore_ms" bigint,
	"prove_error" text,
	"is_unproven" boolean DEFAULT false NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "panel_backups_name_key" UNIQUE("server_id","name"),
	CONSTRAINT "panel_backups_kind_known" CHECK ("panel_backups"."kind" in ('state', 'site', 'database')),
	CONSTRAINT "panel_backups_state_known" CHECK ("panel_backups"."state" in ('making', 'stored', 'failed', 'removing')),
	CONSTRAINT "panel_backups_origin_known" CHECK ("panel_backups"."origin" in ('manual', 'schedule', 'found')),
	CONSTRAINT "panel_backups_r2_state_known" CHECK ("panel_backups"."r2_state" in ('none', 'receiving', 'complete', 'verified')),
	CONSTRAINT "panel_backups_stored_is_whole" CHECK ("panel_backups"."state" <> 'stored' or ("panel_backups"."file" is not null and "panel_backups"."bytes" is not null and "panel_backups"."sha256" is not null
        and "panel_backups"."manifest_sha256" is not null and "panel_backups"."plain_bytes" is not null and "panel_backups"."counts" is not null))
);
--> statement-breakpoint
CREATE TABLE "panel_certificates" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"server_id" text NOT NULL,
	"site_id" text,
	"domain" text NOT NULL,
	"names" text[] DEFAULT '{}' NOT NULL,
	"issuer" text NOT NULL,
	"serial" text NOT NULL,
	"not_before" timestamp with time zone NOT NULL,
	"not_after" timestamp with time zone NOT NULL,
	"staging" boolean NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "panel_certificates_domain_key" UNIQUE("server_id","domain")
);
--> statement-breakpoint
CREATE TABLE "panel_jobs" (
	"job_id" uuid PRIMARY KEY NOT NULL,
	"id" text NOT NULL,
	"seq" bigint GENERATED ALWAYS AS IDENTITY (sequence name "panel_jobs_seq_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"server_id" text NOT NULL,
	"subject" text NOT NULL,
	"type" text NOT NULL,
	"command" text NOT NULL,
	"payload" jsonb NOT NULL,
	"input" jsonb NOT NULL,
	"sealed_input" text,
	"effect" text,
	"triggered_by" bigint,
	"deadline_at" timestamp with time zone NOT NULL,
	"progress" integer DEFAULT 0 NOT NULL,
	"lines" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"submitted_at" timestamp with time zone,
	"started_at" timestamp with time zone,
	"finished_at" timestamp with time zone,
	"outcome" text,
	"value" jsonb,
	"error_code" text,
	"error" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "panel_jobs_id_key" UNIQUE("id"),
	CONSTRAINT "panel_jobs_outcome_known" CHECK ("panel_jobs"."outcome" in ('success', 'failed') and ("panel_jobs"."outcome" = 'success') = ("panel_jobs"."error" is null)),
	CONSTRAINT "panel_jobs_ended_once" CHECK (("panel_jobs"."outcome" is null) = ("panel_jobs"."finished_at" is null)),
	CONSTRAINT "panel_jobs_effect_word" CHECK ("panel_jobs"."effect" ~ '^[a-z_]{1,40}$'),
	CONSTRAINT "panel_jobs_progress_percent" CHECK ("panel_jobs"."progress" between 0 and 100)
);
--> statement-breakpoint
CREATE TABLE "panel_incidents" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"server_id" text NOT NULL,
	"kind" text NOT NULL,
	"subject" text NOT NULL,
	"facts" jsonb NOT NULL,
	"opened_at" timestamp with time zone DEFAULT now() NOT NULL,
	"closed_at" timestamp with time zone,
	"seq" bigint GENERATED ALWAYS AS IDENTITY (sequence name "panel_incidents_seq_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	CONSTRAINT "panel_incidents_kind_known" CHECK ("panel_incidents"."kind" in ('service', 'disk', 'certificate', 'backup', 'silent'))
);
--> statement-breakpoint
CREATE TABLE "panel_minutes" (
	"server_id" text NOT NULL,
	"minute" timestamp with time zone NOT NULL,
	"reports" integer DEFAULT 1 NOT NULL,
	"cpu_percent" double precision,
	"memory_percent" double precision NOT NULL,
	"disk_percent" double precision NOT NULL,
	"load_1" double precision NOT NULL,
	"received_bytes_per_second" double precision,
	"sent_bytes_per_second" double precision,
	"failed_services" integer NOT NULL,
	CONSTRAINT "panel_minutes_pkey" PRIMARY KEY("server_id","minute")
);
--> statement-breakpoint
CREATE TABLE "panel_reports" (
	"server_id" text PRIMARY KEY NOT NULL,
	"report" jsonb NOT NULL,
	"received_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "panel_operators" (
	"user_id" bigint PRIMARY KEY NOT NULL,
	"username" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "panel_operators_username_key" UNIQUE("username"),
	CONSTRAINT "panel_operators_username_plain" CHECK ("panel_operators"."username" ~ '^[a-z0-9][a-z0-9._-]{1,63}$')
);
--> statement-breakpoint
CREATE TABLE "panel_enrolments" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"server_id" text NOT NULL,
	"token_hash" text NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"used_at" timestamp with time zone,
	"created_by" bigint,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "panel_enrolments_token_hash_key" UNIQUE("token_hash")
);
--> statement-breakpoint
CREATE TABLE "panel_servers" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"is_default" boolean NOT NULL,
	"public_key" text,
	"enrolled_at" timestamp with time zone,
	"agent_version" text,
	"facts" jsonb,
	"sites_root" text DEFAULT '/var/www' NOT NULL,
	"connected_at" timestamp with time zone,
	"seen_at" timestamp with time zone,
	"created_by" bigint,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "panel_servers_enrolled_with_key" CHECK (("panel_servers"."public_key" is null) = ("panel_servers"."enrolled_at" is null))
);
--> statement-breakpoint
CREATE TABLE "panel_site_names" (
	"name" text PRIMARY KEY NOT NULL,
	"site_id" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "panel_sites" (
	"id" text PRIMARY KEY NOT NULL,
	"server_id" text NOT NULL,
	"domain" text NOT NULL,
	"root_path" text NOT NULL,
	"document_root" text DEFAULT '' NOT NULL,
	"runtime" text NOT NULL,
	"php_version" text,
	"unix_user" text NOT NULL,
	"status" text DEFAULT 'provisioning' NOT NULL,
	"suspended" boolean DEFAULT false NOT NULL,
	"error" text,
	"created_by" bigint,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "panel_sites_domain_key" UNIQUE("domain"),
	CONSTRAINT "panel_sites_root_key" UNIQUE("server_id","root_path"),
	CONSTRAINT "panel_sites_unix_user_key" UNIQUE("server_id","unix_user"),
	CONSTRAINT "panel_sites_runtime_known" CHECK ("panel_sites"."runtime" in ('php', 'node', 'python', 'static')),
	CONSTRAINT "panel_sites_status_known" CHECK ("panel_sites"."status" in ('provisioning', 'active', 'failed', 'deleting')),
	CONSTRAINT "panel_sites_root_clean" CHECK ("panel_sites"."root_path" ~ '^(/[A-Za-z0-9._][A-Za-z0-9._-]*)+$' and "panel_sites"."root_path" !~ '/\.{1,2}(/|$)')
);
--> statement-breakpoint
CREATE TABLE "panel_releases" (
	"version" text PRIMARY KEY NOT NULL,
	"rank" text NOT NULL,
	"commit" text NOT NULL,
	"manifest" text NOT NULL,
	"signature" text NOT NULL,
	"size" integer NOT NULL,
	"built_at" timestamp with time zone NOT NULL,
	"created_by" bigint,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "panel_updates" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"server_id" text NOT NULL,
	"version" text NOT NULL,
	"job_id" uuid,
	"started_by" bigint,
	"started_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "live_host_hours" ADD COLUMN "income" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "topup_hand_requests" ADD COLUMN "placed_order_id" uuid;--> statement-breakpoint
ALTER TABLE "topup_reconciliations" ADD COLUMN "least_balance" bigint;--> statement-breakpoint
ALTER TABLE "topup_reconciliations" ADD COLUMN "most_balance" bigint;--> statement-breakpoint
ALTER TABLE "market_orders" ADD COLUMN "tax_exempt_amount" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "hosting_deploys" ADD COLUMN "front_before" integer;--> statement-breakpoint
ALTER TABLE "hosting_websites" ADD COLUMN "turn_lease" uuid;--> statement-breakpoint
ALTER TABLE "topup_supplier_deposits" ADD CONSTRAINT "topup_supplier_deposits_actor_id_identity_users_id_fk" FOREIGN KEY ("actor_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "panel_backup_parts" ADD CONSTRAINT "panel_backup_parts_backup_id_panel_backups_id_fk" FOREIGN KEY ("backup_id") REFERENCES "public"."panel_backups"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "panel_backup_policies" ADD CONSTRAINT "panel_backup_policies_server_id_panel_servers_id_fk" FOREIGN KEY ("server_id") REFERENCES "public"."panel_servers"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "panel_backup_restores" ADD CONSTRAINT "panel_backup_restores_backup_id_panel_backups_id_fk" FOREIGN KEY ("backup_id") REFERENCES "public"."panel_backups"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "panel_backup_restores" ADD CONSTRAINT "panel_backup_restores_server_id_panel_servers_id_fk" FOREIGN KEY ("server_id") REFERENCES "public"."panel_servers"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "panel_backups" ADD CONSTRAINT "panel_backups_server_id_panel_servers_id_fk" FOREIGN KEY ("server_id") REFERENCES "public"."panel_servers"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "panel_certificates" ADD CONSTRAINT "panel_certificates_server_id_panel_servers_id_fk" FOREIGN KEY ("server_id") REFERENCES "public"."panel_servers"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "panel_certificates" ADD CONSTRAINT "panel_certificates_site_id_panel_sites_id_fk" FOREIGN KEY ("site_id") REFERENCES "public"."panel_sites"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "panel_jobs" ADD CONSTRAINT "panel_jobs_job_id_jobs_id_fk" FOREIGN KEY ("job_id") REFERENCES "public"."jobs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "panel_jobs" ADD CONSTRAINT "panel_jobs_server_id_panel_servers_id_fk" FOREIGN KEY ("server_id") REFERENCES "public"."panel_servers"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "panel_jobs" ADD CONSTRAINT "panel_jobs_triggered_by_identity_users_id_fk" FOREIGN KEY ("triggered_by") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "panel_incidents" ADD CONSTRAINT "panel_incidents_server_id_panel_servers_id_fk" FOREIGN KEY ("server_id") REFERENCES "public"."panel_servers"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "panel_minutes" ADD CONSTRAINT "panel_minutes_server_id_panel_servers_id_fk" FOREIGN KEY ("server_id") REFERENCES "public"."panel_servers"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "panel_reports" ADD CONSTRAINT "panel_reports_server_id_panel_servers_id_fk" FOREIGN KEY ("server_id") REFERENCES "public"."panel_servers"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "panel_operators" ADD CONSTRAINT "panel_operators_user_id_identity_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."identity_users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "panel_enrolments" ADD CONSTRAINT "panel_enrolments_server_id_panel_servers_id_fk" FOREIGN KEY ("server_id") REFERENCES "public"."panel_servers"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "panel_enrolments" ADD CONSTRAINT "panel_enrolments_created_by_identity_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "panel_servers" ADD CONSTRAINT "panel_servers_created_by_identity_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "panel_site_names" ADD CONSTRAINT "panel_site_names_site_id_panel_sites_id_fk" FOREIGN KEY ("site_id") REFERENCES "public"."panel_sites"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "panel_sites" ADD CONSTRAINT "panel_sites_server_id_panel_servers_id_fk" FOREIGN KEY ("server_id") REFERENCES "public"."panel_servers"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "panel_sites" ADD CONSTRAINT "panel_sites_created_by_identity_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "panel_releases" ADD CONSTRAINT "panel_releases_created_by_identity_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "panel_updates" ADD CONSTRAINT "panel_updates_server_id_panel_servers_id_fk" FOREIGN KEY ("server_id") REFERENCES "public"."panel_servers"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "panel_updates" ADD CONSTRAINT "panel_updates_version_panel_releases_version_fk" FOREIGN KEY ("version") REFERENCES "public"."panel_releases"("version") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "panel_updates" ADD CONSTRAINT "panel_updates_job_id_jobs_id_fk" FOREIGN KEY ("job_id") REFERENCES "public"."jobs"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "panel_updates" ADD CONSTRAINT "panel_updates_started_by_identity_users_id_fk" FOREIGN KEY ("started_by") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "live_host_weeks_coins_idx" ON "live_host_weeks" USING btree ("coins" DESC NULLS FIRST,"host_id");--> statement-breakpoint
CREATE INDEX "live_host_weeks_since_idx" ON "live_host_weeks" USING btree ("since");--> statement-breakpoint
CREATE INDEX "topup_supplier_deposits_paid_idx" ON "topup_supplier_deposits" USING btree ("paid_at");--> statement-breakpoint
CREATE INDEX "topup_supplier_deposits_actor_idx" ON "topup_supplier_deposits" USING btree ("actor_id");--> statement-breakpoint
CREATE INDEX "panel_backup_restores_server_idx" ON "panel_backup_restores" USING btree ("server_id");--> statement-breakpoint
CREATE INDEX "panel_backup_restores_backup_idx" ON "panel_backup_restores" USING btree ("backup_id");--> statement-breakpoint
CREATE INDEX "panel_backups_list_idx" ON "panel_backups" USING btree ("server_id","created_at" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "panel_backups_subject_idx" ON "panel_backups" USING btree ("server_id","kind","subject","created_at");--> statement-breakpoint
CREATE INDEX "panel_backups_unproven_idx" ON "panel_backups" USING btree ("server_id") WHERE "panel_backups"."is_unproven";--> statement-breakpoint
CREATE INDEX "panel_certificates_site_idx" ON "panel_certificates" USING btree ("site_id");--> statement-breakpoint
CREATE INDEX "panel_certificates_end_idx" ON "panel_certificates" USING btree ("not_after");--> statement-breakpoint
CREATE INDEX "panel_jobs_list_idx" ON "panel_jobs" USING btree ("seq" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "panel_jobs_turn_idx" ON "panel_jobs" USING btree ("server_id","subject","seq") WHERE "panel_jobs"."outcome" is null;--> statement-breakpoint
CREATE INDEX "panel_jobs_deadline_idx" ON "panel_jobs" USING btree ("deadline_at") WHERE "panel_jobs"."outcome" is null;--> statement-breakpoint
CREATE INDEX "panel_jobs_subject_idx" ON "panel_jobs" USING btree ("subject","seq" DESC NULLS FIRST);--> statement-breakpoint
CREATE UNIQUE INDEX "panel_incidents_open_key" ON "panel_incidents" USING btree ("server_id","kind","subject") WHERE "panel_incidents"."closed_at" is null;--> statement-breakpoint
CREATE INDEX "panel_incidents_list_idx" ON "panel_incidents" USING btree ("server_id","seq" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "panel_minutes_minute_idx" ON "panel_minutes" USING btree ("minute");--> statement-breakpoint
CREATE INDEX "panel_enrolments_server_idx" ON "panel_enrolments" USING btree ("server_id");--> statement-breakpoint
CREATE UNIQUE INDEX "panel_servers_name_key" ON "panel_servers" USING btree (lower("name"));--> statement-breakpoint
CREATE UNIQUE INDEX "panel_servers_default_key" ON "panel_servers" USING btree ("is_default") WHERE "panel_servers"."is_default";--> statement-breakpoint
CREATE INDEX "panel_site_names_site_idx" ON "panel_site_names" USING btree ("site_id");--> statement-breakpoint
CREATE INDEX "panel_sites_list_idx" ON "panel_sites" USING btree ("created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "panel_releases_rank_idx" ON "panel_releases" USING btree ("rank" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "panel_updates_list_idx" ON "panel_updates" USING btree ("server_id","started_at" DESC NULLS LAST);--> statement-breakpoint
ALTER TABLE "topup_hand_requests" ADD CONSTRAINT "topup_hand_requests_placed_order_id_topup_orders_id_fk" FOREIGN KEY ("placed_order_id") REFERENCES "public"."topup_orders"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "audit_entries_panel_idx" ON "audit_entries" USING btree ("id" DESC NULLS FIRST) WHERE left("audit_entries"."subject_kind", 6) = 'panel_';--> statement-breakpoint
CREATE INDEX "live_host_hours_host_idx" ON "live_host_hours" USING btree ("host_id","hour");