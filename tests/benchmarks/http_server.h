// A web server of one thread for the tests of fetching: files from memory, with or without byte
// ranges, able to break off in the middle of an answer.
#pragma once

#include <arpa/inet.h>
#include <atomic>
#include <cctype>
#include <map>
#include <mutex>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "tests/benchmarks/helpers.h"

namespace engram {

class HttpServer {
 public:
  HttpServer() {
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    if (::bind(socket_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
        ::listen(socket_, 8) != 0 ||
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length) != 0)
      std::abort();
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~HttpServer() {
    stopping_ = true;
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::string address() const { return "http://127.0.0.1:" + std::to_string(port_); }
  void put(const std::string& path, Bytes content) {
    const std::lock_guard lock(mutex_);
    files_[path] = std::move(content);
  }
  void support_ranges(bool yes) { ranges_ = yes; }
  /// The next answer ends after so many bytes of the body.
  void break_off_once_after(std::size_t bytes) { break_off_ = static_cast<long>(bytes); }
  /// Every answer sends the client elsewhere.
  void redirect_to(const std::string& location) {
    const std::lock_guard lock(mutex_);
    redirect_ = location;
  }

  struct Request {
    std::string path;
    long begin;  ///< first byte asked for, or -1
  };
  std::vector<Request> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void serve() {
    while (!stopping_) {
      const int client = ::accept(socket_, nullptr, nullptr);
      if (client < 0) continue;
      answer(client);
      ::shutdown(client, SHUT_RDWR);
      ::close(client);
    }
  }

  void answer(int client) {
    std::string head;
    char chunk[1024];
    while (head.find("\r\n\r\n") == std::string::npos) {
      const ssize_t n = ::recv(client, chunk, sizeof chunk, 0);
      if (n <= 0) return;
      head.append(chunk, static_cast<std::size_t>(n));
    }
    const std::size_t begin = head.find(' ') + 1;
    Request request{head.substr(begin, head.find(' ', begin) - begin), -1};
    const std::size_t range = head.find("Range: bytes=");
    if (range != std::string::npos) request.begin = std::stol(head.substr(range + 13));
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    if (!redirect_.empty())
      return send_all(client, "HTTP/1.1 302 Found\r\nLocation: " + redirect_ + "\r\n" + kEnd);
    const auto file = files_.find(request.path);
    if (file == files_.end()) return send_all(client, "HTTP/1.1 404 Not Found\r\n" + kEnd);
    send_file(client, file->second, ranges_ ? request.begin : -1);
  }

  void send_file(int client, const Bytes& content, long begin) {
    const std::string size = std::to_string(content.size());
    if (begin >= static_cast<long>(content.size()))
      return send_all(client, "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */" +
                                  size + "\r\n" + kEnd);
    std::string body(content.begin() + std::max(begin, 0L), content.end());
    std::string head = begin < 0 ? "HTTP/1.1 200 OK\r\n" : "HTTP/1.1 206 Partial Content\r\n";
    if (begin >= 0)
      head += "Content-Range: bytes " + std::to_string(begin) + "-" +
              std::to_string(content.size() - 1) + "/" + size + "\r\n";
    head += "Content-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n";
    const long most = break_off_.exchange(-1);
    if (most >= 0) body.resize(std::min(body.size(), static_cast<std::size_t>(most)));
    send_all(client, head + body);
  }

  static void send_all(int client, const std::string& text) {
    std::size_t sent = 0;
    while (sent < text.size()) {
      const ssize_t n = ::send(client, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return;
      sent += static_cast<std::size_t>(n);
    }
  }

  inline static const std::string kEnd = "Content-Length: 0\r\nConnection: close\r\n\r\n";
  int socket_ = -1, port_ = 0;
  std::thread thread_;
  std::atomic<bool> stopping_ = false, ranges_ = true;
  std::atomic<long> break_off_ = -1;
  mutable std::mutex mutex_;
  std::string redirect_;
  std::map<std::string, Bytes> files_;
  std::vector<Request> requests_;
};

}  // namespace engram
