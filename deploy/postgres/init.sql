-- Carried out once, when the database's volume is empty: an account for chatapp that owns its database and may do
-- nothing else on the server. (It makes its tables itself, at start.)
\set password `cat /run/secrets/database_password`
CREATE ROLE chatapp LOGIN PASSWORD :'password';
CREATE DATABASE chatapp OWNER chatapp;
REVOKE CONNECT ON DATABASE chatapp FROM PUBLIC;
