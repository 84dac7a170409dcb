-- Run once by `mysqld --initialize-insecure --skip-log-bin --init-file`, on every member alike. Without a binary
-- log nothing here becomes a transaction that the group would not know.
-- The placeholders stand for quoted literals; all values come from the environment.

-- Carries the group's own traffic and copies data to joining members.
CREATE USER ${MYSQL_AGENT_RECOVERY_USER}@'%' IDENTIFIED BY ${MYSQL_AGENT_RECOVERY_PASSWORD} REQUIRE SSL;
GRANT REPLICATION SLAVE ON *.* TO ${MYSQL_AGENT_RECOVERY_USER}@'%';
-- What it reads as the source of a copy, it reads for backups too: the log, and a dump that knows its place in it.
GRANT RELOAD ON *.* TO ${MYSQL_AGENT_RECOVERY_USER}@'%';
GRANT SELECT, SHOW VIEW ON ${DB_NAME_PATTERN}.* TO ${MYSQL_AGENT_RECOVERY_USER}@'%';
-- APPLICATION_PASSWORD_ADMIN lets an account keep its old password beside a new one, while others learn of that.
GRANT APPLICATION_PASSWORD_ADMIN, BACKUP_ADMIN, CONNECTION_ADMIN, GROUP_REPLICATION_STREAM, SYSTEM_USER
  ON *.* TO ${MYSQL_AGENT_RECOVERY_USER}@'%';

-- Looks at all members, starts replication on its own one, and disconnects clients of a former primary.
-- SYSTEM_USER keeps the administrator below, who may alter users, from altering this one.
CREATE USER ${MYSQL_AGENT_USER}@'%' IDENTIFIED BY ${MYSQL_AGENT_PASSWORD} REQUIRE SSL;
GRANT APPLICATION_PASSWORD_ADMIN, CONNECTION_ADMIN, GROUP_REPLICATION_ADMIN, SERVICE_CONNECTION_ADMIN, SYSTEM_USER,
  SYSTEM_VARIABLES_ADMIN
  ON *.* TO ${MYSQL_AGENT_USER}@'%';
GRANT SELECT ON performance_schema.* TO ${MYSQL_AGENT_USER}@'%';

-- Creates the application's database and account, in transactions that the group replicates.
CREATE USER ${DB_ADMIN_USER}@'%' IDENTIFIED BY ${DB_ADMIN_PASSWORD};
GRANT CREATE USER ON *.* TO ${DB_ADMIN_USER}@'%';
GRANT ALL ON ${DB_NAME_PATTERN}.* TO ${DB_ADMIN_USER}@'%' WITH GRANT OPTION;
-- so that it can let the application show the group's members
GRANT SELECT ON performance_schema.replication_group_members TO ${DB_ADMIN_USER}@'%' WITH GRANT OPTION;
GRANT SELECT ON performance_schema.replication_group_member_stats TO ${DB_ADMIN_USER}@'%' WITH GRANT OPTION;

-- Nobody needs the account that may do everything: with it, one could write past the group. The owner of the
-- data directory gets it back with `mysqld --init-file`.
ALTER USER 'root'@'localhost' ACCOUNT LOCK;

-- Fails, and mysqld --initialize with it, if anything above became a transaction after all.
SET @check = IF(@@GLOBAL.gtid_executed = '', 'DO 0', 'DO gtid_executed_is_not_empty_after_initialisation');
PREPARE no_transactions FROM @check;
EXECUTE no_transactions;
