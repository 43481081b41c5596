// SPDX-License-Identifier: Apache-2.0
// What a function's build says about where its code is, when that has to be got first.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "spec/build.h"

namespace nuclio::builder {

// Who says where the code is. Whoever works on this machine may name what it alone reaches: its files, loopback and
// link-local addresses, repositories by ssh with its keys. Anyone else must not be led there.
enum class Asker { local, anyone };

// Code behind a URL of http or https.
struct WebCode {
  std::string url;
  std::map<std::string, std::string> headers;                    // may hold secrets
  std::string file_name;                                         // what the URL calls it; "" when it says nothing
  bool must_be_archive = false;                                  // else it may be one file, too
  bool in_its_only_folder = false;                               // as GitHub packs it
  std::string login = "spec.build.codeEntryAttributes.headers";  // for messages, as that of GitCode
};

// An object in a store that speaks S3. Without keys it is asked for anonymously.
struct S3Code {
  std::string endpoint;  // scheme and host, of the bucket where that has a host of its own
  std::string path;      // percent-encoded
  std::string region;
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;
  std::string file_name;
};

// A tree of a repository.
struct GitCode {
  std::string url;                             // http, https, ssh or file
  std::string reference;                       // refs/heads/main, HEAD, or a commit
  std::map<std::string, std::string> headers;  // of http; may hold secrets
  std::string authorities = {};  // PEM text of the only ones that count for the URL's server; "" for the system's
  // For messages: where whoever gave the URL gives a login.
  std::string login =
      "spec.build.codeEntryAttributes: username and password (or a token as the password), or "
      "headers.Authorization";
};

// An archive on this machine.
struct ArchiveFile {
  std::string path;
};

struct Origin {
  std::variant<WebCode, S3Code, GitCode, ArchiveFile> where;
  std::string work_dir;  // relative, within what is got; "" for all of it
  std::string name;      // for people: a URL without what could be secret in it
};

// Reads it from spec.build; nothing when the code is in the spec, or a file or folder of this machine. Why::invalid
// when something is missing or wrong, Why::forbidden when this asker may not name it. Asks nobody and reads no file but
// to tell an archive from a folder.
Result<std::optional<Origin>> origin_of(const spec::Build& build, Asker asker);

// A URL without user, query and fragment, which may hold secrets.
std::string shown_url(std::string_view url);

}  // namespace nuclio::builder
