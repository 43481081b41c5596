// SPDX-License-Identifier: Apache-2.0
#include "platform/process/database.h"

#include <sqlite3.h>

#include "base/check.h"

namespace nuclio::platform::process {
namespace {

constexpr int kBusyMilliseconds = 1000;

Error error_of(sqlite3* database, std::string_view doing) {
  const char* name = sqlite3_db_filename(database, "main");
  std::string where = name && *name ? name : "the state";
  std::string text = std::string(doing) + " " + where + ": " + sqlite3_errmsg(database);
  // The system's word, where it has one: "disk I/O error" alone is little to go by.
  int number = sqlite3_system_errno(database);
  switch (sqlite3_errcode(database) & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return {Why::busy, text + "; another program has it open, end that first"};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return {Why::internal, text + "; the file is damaged, move it away to begin with an empty one"};
    case SQLITE_FULL: return {Why::unavailable, text + "; free some space there and try again"};
    case SQLITE_IOERR:
      if (number != 0) return errno_error(text, number);
      return {Why::internal, text + "; look at the disk and the system's log"};
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM: return {Why::forbidden, text + "; can this user write there?"};
    default: return {Why::internal, text};
  }
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Statement& Statement::bind(int parameter, std::string_view text) {
  CHECK(sqlite3_bind_text(statement_.get(), parameter, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT) ==
        SQLITE_OK);
  return *this;
}

Statement& Statement::bind(int parameter, std::int64_t number) {
  CHECK(sqlite3_bind_int64(statement_.get(), parameter, number) == SQLITE_OK);
  return *this;
}

Result<bool> Statement::step() {
  int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    sqlite3_reset(statement_.get());
    return false;
  }
  Error error = error_of(sqlite3_db_handle(statement_.get()), "using");
  sqlite3_reset(statement_.get());
  return fail(std::move(error));
}

Result<void> Statement::run() {
  TRY(bool row, step());
  CHECK(!row);
  return {};
}

std::string Statement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  return text ? std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column)))
              : std::string();
}

std::int64_t Statement::number(int column) const { return sqlite3_column_int64(statement_.get(), column); }

void Database::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

Result<Database> Database::open(const std::string& path) {
  sqlite3* raw = nullptr;
  int code =
      sqlite3_open_v2(path.c_str(), &raw,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, nullptr);
  Database database{raw};
  if (code != SQLITE_OK) return fail(error_of(raw, "opening"));
  sqlite3_busy_timeout(raw, kBusyMilliseconds);
  TRY_DO(database.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"));
  return database;
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  int code = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                &statement, nullptr);
  if (code != SQLITE_OK) return fail(error_of(database_.get(), "reading"));
  return Statement{statement};
}

Result<void> Database::execute(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    return fail(error_of(database_.get(), "using"));
  return {};
}

Result<std::int64_t> Database::schema_version() {
  TRY(Statement statement, prepare("PRAGMA user_version"));
  TRY(bool row, statement.step());
  CHECK(row);
  return statement.number(0);
}

std::int64_t Database::changed_rows() const { return sqlite3_changes64(database_.get()); }

Result<Database::Transaction> Database::Transaction::begin(Database& database) {
  TRY_DO(database.execute("BEGIN IMMEDIATE"));
  return Transaction{database};
}

Database::Transaction::~Transaction() {
  // Nothing is lost when the undoing fails: what was not committed never counts.
  if (database_) (void)database_->execute("ROLLBACK");
}

Result<void> Database::Transaction::commit() {
  TRY_DO(database_->execute("COMMIT"));
  database_ = nullptr;
  return {};
}

}  // namespace nuclio::platform::process
