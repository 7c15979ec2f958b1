/** What one of the databases' own users may do there: everything but to pass rights on. */
const ON_DATABASES = [
  "SELECT",
  "INSERT",
  "UPDATE",
  "DELETE",
  "CREATE",
  "DROP",
  "REFERENCES",
  "INDEX",
  "ALTER",
  "CREATE TEMPORARY TABLES",
  "LOCK TABLES",
  "EXECUTE",
  "CREATE VIEW",
  "SHOW VIEW",
  "CREATE ROUTINE",
  "ALTER ROUTINE",
  "EVENT",
  "TRIGGER",
  "DELETE HISTORY",
].join(", ");

/** Wide enough to see what is wrong with a value, in letters that tell look-alikes apart. */
const TEXT = "VARCHAR(600) CHARACTER SET utf8mb4";

/** Refused as a panel's account: names of the server and its distribution; an account with rights on all databases. */
const CHECK_ACCOUNT = `
  IF p_user IS NULL OR p_user REGEXP '(?-i)[^A-Za-z0-9_]' OR CHAR_LENGTH(p_user) NOT BETWEEN 1 AND 64
    OR p_host IS NULL OR p_host REGEXP '(?-i)[^A-Za-z0-9._%-]' OR CHAR_LENGTH(p_host) NOT BETWEEN 1 AND 255 THEN
    SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 30001, MESSAGE_TEXT = 'invalid';
  END IF;
  IF LOWER(p_user) IN ('root', 'mysql', 'debian_sys_maint', 'nusantarad', 'mariadb', 'public')
    OR LOWER(p_user) = LOWER(SUBSTRING_INDEX(USER(), '@', 1)) OR LOWER(LEFT(p_user, 12)) = 'nusantara_k_'
    OR EXISTS (SELECT 1 FROM mysql.global_priv g WHERE g.User = p_user AND g.Host = p_host
      AND (COALESCE(JSON_VALUE(g.Priv, '$.access'), 0) <> 0
        OR COALESCE(JSON_VALUE(g.Priv, '$.plugin'), '') NOT IN ('', 'mysql_native_password')))
    OR EXISTS (SELECT 1 FROM mysql.global_priv g WHERE g.User = p_user AND JSON_VALUE(g.Priv, '$.is_role') = 1)
  THEN
    SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 30002, MESSAGE_TEXT = 'conflict';
  END IF;`;

/** A database of the sites, or one of the agent's workspaces; and the hash of a password. */
const CHECK_DATABASE = `
  IF p_database IS NULL OR p_database REGEXP '(?-i)[^A-Za-z0-9_]'
    OR CHAR_LENGTH(p_database) NOT BETWEEN 1 AND 64 THEN
    SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 30001, MESSAGE_TEXT = 'invalid';
  END IF;
  IF LOWER(p_database) IN ('mysql', 'information_schema', 'performance_schema', 'sys') THEN
    SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 30002, MESSAGE_TEXT = 'conflict';
  END IF;`;
const CHECK_HASH = `
  IF p_hash IS NULL OR p_hash NOT REGEXP '(?-i)^[*][0-9A-F]{40}$' OR CHAR_LENGTH(p_hash) <> 41 THEN
    SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 30001, MESSAGE_TEXT = 'invalid';
  END IF;`;
const CHECK_EXISTS = `
  IF NOT EXISTS (SELECT 1 FROM information_schema.SCHEMATA s WHERE s.SCHEMA_NAME = p_database) THEN
    SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 30003, MESSAGE_TEXT = 'not_found';
  END IF;`;

/** A name as part of a statement; the pattern signs of GRANT (_ and %) made plain. */
const QUOTED_DATABASE = "CONCAT('`', REPLACE(REPLACE(p_database, '`', '``'), '_', '\\\\_'), '`')";
const QUOTED_ACCOUNT = "CONCAT(QUOTE(p_user), '@', QUOTE(p_host))";
/** Of a database: who owns in it what has no owner of its own. */
const QUOTED_KEEPER =
  "CONCAT(QUOTE(CONCAT('nusantara_k_', LEFT(SHA1(p_database), 20))), '@', QUOTE('localhost'))";

/**
 * The things that need more than the agent's account has, as procedures of the server's owner. The names in them
 * are checked and quoted by the server itself; nothing is put together outside it.
 */
export const PROCEDURES: Record<string, string> = {
  nusantara_set_user: `(IN p_database ${TEXT}, IN p_user ${TEXT}, IN p_host ${TEXT}, IN p_hash ${TEXT})
SQL SECURITY DEFINER MODIFIES SQL DATA
COMMENT 'An account with this password hash and all rights on this one database, made or brought to it.'
BEGIN${CHECK_ACCOUNT}${CHECK_HASH}${CHECK_DATABASE}${CHECK_EXISTS}
  EXECUTE IMMEDIATE CONCAT('CREATE USER IF NOT EXISTS ', ${QUOTED_ACCOUNT},
    ' IDENTIFIED VIA mysql_native_password USING ', QUOTE(p_hash));
  EXECUTE IMMEDIATE CONCAT('ALTER USER ', ${QUOTED_ACCOUNT},
    ' IDENTIFIED VIA mysql_native_password USING ', QUOTE(p_hash));
  EXECUTE IMMEDIATE CONCAT('GRANT ALL PRIVILEGES ON ', ${QUOTED_DATABASE}, '.* TO ', ${QUOTED_ACCOUNT});
END`,
  nusantara_drop_user: `(IN p_user ${TEXT}, IN p_host ${TEXT})
SQL SECURITY DEFINER MODIFIES SQL DATA
COMMENT 'Removes an account of a site; one that is gone is done.'
BEGIN${CHECK_ACCOUNT}
  EXECUTE IMMEDIATE CONCAT('DROP USER IF EXISTS ', ${QUOTED_ACCOUNT});
END`,
  nusantara_release: `(IN p_database ${TEXT})
SQL SECURITY DEFINER MODIFIES SQL DATA
COMMENT 'Takes away every right on this one database, so that a later one of its name is nobody else''s.'
BEGIN
  DECLARE v_user, v_host ${TEXT};
  DECLARE v_done INT DEFAULT 0;
  DECLARE holders CURSOR FOR SELECT d.User, d.Host FROM mysql.db d WHERE BINARY d.Db = BINARY REPLACE(p_database, '_', '\\\\_');
  DECLARE CONTINUE HANDLER FOR NOT FOUND SET v_done = 1;${CHECK_DATABASE}
  OPEN holders;
  each_one: LOOP
    FETCH holders INTO v_user, v_host;
    IF v_done THEN LEAVE each_one; END IF;
    EXECUTE IMMEDIATE CONCAT('REVOKE ALL PRIVILEGES ON ', ${QUOTED_DATABASE}, '.* FROM ',
      QUOTE(v_user), '@', QUOTE(v_host));
  END LOOP;
  CLOSE holders;
  EXECUTE IMMEDIATE CONCAT('DROP USER IF EXISTS ', ${QUOTED_KEEPER});
END`,
  nusantara_lend: `(IN p_database ${TEXT}, IN p_user ${TEXT}, IN p_host ${TEXT}, IN p_hash ${TEXT})
SQL SECURITY DEFINER MODIFIES SQL DATA
COMMENT 'A second password for an account of this database, so that what it owned is made again by itself.'
BEGIN
  DECLARE v_own ${TEXT};${CHECK_ACCOUNT}${CHECK_HASH}${CHECK_DATABASE}
  SELECT MAX(JSON_VALUE(g.Priv, '$.authentication_string')) INTO v_own
  FROM mysql.global_priv g JOIN mysql.db d ON d.User = g.User AND d.Host = g.Host
  WHERE g.User = p_user AND g.Host = p_host AND JSON_VALUE(g.Priv, '$.plugin') = 'mysql_native_password'
    AND BINARY d.Db IN (BINARY p_database, BINARY REPLACE(p_database, '_', '\\\\_'));
  IF v_own IS NULL THEN
    SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 30003, MESSAGE_TEXT = 'not_found';
  END IF;
  EXECUTE IMMEDIATE CONCAT('ALTER USER ', ${QUOTED_ACCOUNT}, ' IDENTIFIED VIA mysql_native_password USING ',
    QUOTE(v_own), ' OR mysql_native_password USING ', QUOTE(p_hash));
END`,
  nusantara_return: `(IN p_user ${TEXT}, IN p_host ${TEXT})
SQL SECURITY DEFINER MODIFIES SQL DATA
COMMENT 'Takes the second password of an account away again.'
BEGIN
  DECLARE v_own ${TEXT};${CHECK_ACCOUNT}
  SELECT MAX(JSON_VALUE(g.Priv, '$.authentication_string')) INTO v_own FROM mysql.global_priv g
  WHERE g.User = p_user AND g.Host = p_host AND JSON_VALUE(g.Priv, '$.plugin') = 'mysql_native_password'
    AND JSON_EXISTS(g.Priv, '$.auth_or');
  IF v_own IS NOT NULL THEN
    EXECUTE IMMEDIATE CONCAT('ALTER USER ', ${QUOTED_ACCOUNT}, ' IDENTIFIED VIA mysql_native_password USING ',
      QUOTE(v_own));
  END IF;
END`,
  nusantara_keeper: `(IN p_database ${TEXT}, IN p_hash ${TEXT})
SQL SECURITY DEFINER MODIFIES SQL DATA
COMMENT 'The account that owns in this one database what has no owner of its own, with this password. Tells its name.'
BEGIN${CHECK_HASH}${CHECK_DATABASE}${CHECK_EXISTS}
  EXECUTE IMMEDIATE CONCAT('CREATE USER IF NOT EXISTS ', ${QUOTED_KEEPER},
    ' IDENTIFIED VIA mysql_native_password USING ', QUOTE(p_hash));
  EXECUTE IMMEDIATE CONCAT('ALTER USER ', ${QUOTED_KEEPER},
    ' IDENTIFIED VIA mysql_native_password USING ', QUOTE(p_hash));
  EXECUTE IMMEDIATE CONCAT('GRANT ALL PRIVILEGES ON ', ${QUOTED_DATABASE}, '.* TO ', ${QUOTED_KEEPER});
  SELECT CONCAT('nusantara_k_', LEFT(SHA1(p_database), 20)) AS keeper;
END`,
  nusantara_unkeep: `(IN p_database ${TEXT})
SQL SECURITY DEFINER MODIFIES SQL DATA
COMMENT 'Removes that account.'
BEGIN${CHECK_DATABASE}
  EXECUTE IMMEDIATE CONCAT('DROP USER IF EXISTS ', ${QUOTED_KEEPER});
END`,
  nusantara_user: `(IN p_user ${TEXT}, IN p_host ${TEXT}, IN p_hash ${TEXT})
SQL SECURITY DEFINER READS SQL DATA
COMMENT 'What an account of a site is: one row a database that it has rights on. Tells no hash.'
BEGIN${CHECK_ACCOUNT}
  SELECT CAST(JSON_VALUE(g.Priv, '$.authentication_string') = p_hash AS UNSIGNED) AS hash_matches,
    REPLACE(d.Db, '\\\\_', '_') AS db, d.Db AS pattern,
    CAST(d.Select_priv = 'Y' AND d.Insert_priv = 'Y' AND d.Create_priv = 'Y' AND d.Trigger_priv = 'Y' AS UNSIGNED) AS whole,
    CAST(d.Grant_priv = 'Y' AS UNSIGNED) AS may_grant
  FROM mysql.global_priv g LEFT JOIN mysql.db d ON d.User = g.User AND d.Host = g.Host
  WHERE g.User = p_user AND g.Host = p_host;
END`,
};

/**
 * What the installer runs once, and again after each update, as the server's owner, one statement after another on one
 * connection. The agent's account signs in by its Unix user over the socket and has no password. It may do anything inside the sites'
 * databases, which making and restoring backups needs, and nothing in the server's own: the narrower lines for `mysql`
 * and `sys` come before the pattern. Accounts it makes through the procedures alone. PROCESS and CONNECTION ADMIN let
 * a restore end other sessions; a backup reads the routines themselves in `mysql.proc`. It may make nothing in another's
 * name (SET USER would let it make a routine of the server's owner): a restore signs in as the very accounts that owned
 * a database's views and routines (agent/backups/database/makers.ts).
 */
export function accountStatements(user = "nusantarad"): string[] {
  if (!/^[a-z_][a-z0-9_-]{0,31}$/.test(user)) throw new Error("not a Unix user's name");
  const account = `'${user}'@'localhost'`;
  const procedures = Object.entries(PROCEDURES).flatMap(([name, body]) => [
    `CREATE OR REPLACE PROCEDURE mysql.${name} ${body}`,
    `GRANT EXECUTE ON PROCEDURE mysql.${name} TO ${account}`,
  ]);
  return [
    // A procedure keeps the mode it was made under: here backslashes and quotes mean what QUOTE() takes them for.
    "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'",
    `CREATE USER IF NOT EXISTS ${account} IDENTIFIED VIA unix_socket`,
    `GRANT PROCESS, CONNECTION ADMIN ON *.* TO ${account}`,
    // What earlier releases gave.
    `REVOKE SET USER ON *.* FROM ${account}`,
    `GRANT ${ON_DATABASES} ON \`%\`.* TO ${account}`,
    `GRANT SHOW VIEW ON mysql.* TO ${account}`,
    `GRANT SHOW VIEW ON sys.* TO ${account}`,
    `GRANT SELECT ON mysql.proc TO ${account}`,
    ...procedures,
  ];
}

/** Takes the account and the procedures away again. */
export function removeAccountStatements(user = "nusantarad"): string[] {
  if (!/^[a-z_][a-z0-9_-]{0,31}$/.test(user)) throw new Error("not a Unix user's name");
  const drops = Object.keys(PROCEDURES).map((name) => `DROP PROCEDURE IF EXISTS mysql.${name}`);
  return [`DROP USER IF EXISTS '${user}'@'localhost'`, ...drops];
}
