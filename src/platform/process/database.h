// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace nuclio::platform::process {

// A prepared statement: bind what it asks for, step through its rows, and it can be used again.
class Statement {
 public:
  // Parameters count from 1, columns from 0.
  Statement& bind(int parameter, std::string_view text);
  Statement& bind(int parameter, std::int64_t number);
  // true when there is a row; at the end the statement is ready for the next use.
  Result<bool> step();
  // step() for a statement that has no rows.
  Result<void> run();

  std::string text(int column) const;
  std::int64_t number(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// An SQLite file: write-ahead log, and on the disk before a change counts as made. Used by one thread.
class Database {
 public:
  // Makes the file when there is none. The error says what to do about a file that is damaged or in use.
  static Result<Database> open(const std::string& path);

  Result<Statement> prepare(std::string_view sql);
  Result<void> execute(const char* sql);
  Result<std::int64_t> schema_version();
  std::int64_t changed_rows() const;  // by the last statement

  // All of it or nothing: undone unless commit() was called.
  class Transaction {
   public:
    static Result<Transaction> begin(Database& database);
    Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();
    Result<void> commit();

   private:
    explicit Transaction(Database& database) : database_(&database) {}
    Database* database_;
  };

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  explicit Database(sqlite3* database) : database_(database) {}
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace nuclio::platform::process
