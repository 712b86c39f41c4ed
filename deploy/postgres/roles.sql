-- The two roles and the database, made once, when PostgreSQL starts over an empty volume. The passwords come from its environment.
\getenv owner_password TREASURY_POSTGRES_OWNER_PASSWORD
\getenv app_password TREASURY_POSTGRES_APP_PASSWORD
CREATE ROLE treasury_owner LOGIN CREATEDB PASSWORD :'owner_password';
CREATE ROLE treasury_app LOGIN NOINHERIT PASSWORD :'app_password';
CREATE DATABASE treasury OWNER treasury_owner ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE treasury FROM PUBLIC;
GRANT CONNECT ON DATABASE treasury TO treasury_app;
