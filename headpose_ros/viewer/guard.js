// Copyright 2026 The headpose_ros authors. SPDX-License-Identifier: Apache-2.0
// Rerun's viewer reports its use to its makers. Nothing is to leave this machine: requests to any
// other host end here. (The page's Content-Security-Policy forbids them as well.)
'use strict';
const ownFetch = window.fetch.bind(window);
window.fetch = (what, options) => {
  const url = new URL(what instanceof Request ? what.url : what, location.href);
  return url.origin === location.origin
    ? ownFetch(what, options)
    : Promise.resolve(new Response(null, {status: 204}));
};
