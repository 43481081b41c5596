// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nuclio {

// A link of an intrusive list: it takes itself out when it is destroyed, which is what makes stopping a wait as simple
// as destroying the waiter. Not copyable; belongs to one thread.
class ListLink {
 public:
  ListLink() = default;
  ListLink(const ListLink&) = delete;
  ListLink& operator=(const ListLink&) = delete;
  ~ListLink() { unlink(); }

  bool linked() const { return next_ != this; }
  void unlink() {
    next_->previous_ = previous_;
    previous_->next_ = next_;
    next_ = previous_ = this;
  }

 private:
  template <class T>
  friend class List;
  ListLink* next_ = this;
  ListLink* previous_ = this;
};

// A first-in first-out list of T, where T derives from ListLink. It owns nothing.
template <class T>
class List {
 public:
  bool empty() const { return !head_.linked(); }
  T* front() { return empty() ? nullptr : static_cast<T*>(head_.next_); }
  T* back() { return empty() ? nullptr : static_cast<T*>(head_.previous_); }
  T* pop_front() {
    T* first = front();
    if (first) first->unlink();
    return first;
  }
  void push_back(T& item) { insert(head_, item); }
  // `place` is in the list.
  void insert_before(T& place, T& item) { insert(place, item); }
  // Calls visit(T&) for each; visit may unlink the item that it is given, nothing else.
  template <class Visit>
  void for_each(Visit&& visit) {
    for (ListLink* at = head_.next_; at != &head_;) {
      ListLink* next = at->next_;
      visit(static_cast<T&>(*at));
      at = next;
    }
  }

 private:
  static void insert(ListLink& next, ListLink& link) {
    link.unlink();
    link.previous_ = next.previous_;
    link.next_ = &next;
    next.previous_->next_ = &link;
    next.previous_ = &link;
  }
  ListLink head_;
};

}  // namespace nuclio
