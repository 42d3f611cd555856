(function () {
  "use strict";
  var clip = document.getElementById("clip");
  if (!clip) { return; }
  var jumps = Array.prototype.slice.call(document.querySelectorAll(".jump"));
  var rates = Array.prototype.slice.call(document.querySelectorAll(".rate"));

  function playFromMemory() {
    // Some browsers cannot seek in a data address; the same bytes as an object address can be sought everywhere.
    var found = /^data:video\/mp4;base64,/.exec(clip.src);
    if (!found) { return; }
    var text = atob(clip.src.slice(found[0].length));
    var bytes = new Uint8Array(text.length);
    for (var i = 0; i < text.length; i += 1) { bytes[i] = text.charCodeAt(i); }
    clip.src = URL.createObjectURL(new Blob([bytes], { type: "video/mp4" }));
  }

  // A frame is shown from its time on: half a frame later one is sure to see the frame nearest to an instant.
  var half = 0.45 / Number(clip.dataset.rate);

  function show(time) {
    clip.pause();
    clip.currentTime = time;
    clip.scrollIntoView({ block: "nearest" });
  }

  function markHere() {
    var here = clip.currentTime;
    jumps.forEach(function (button) {
      button.classList.toggle("is-here", Math.abs(Number(button.dataset.time) + half - here) < half);
    });
  }

  function addControls() {
    // The browser's own controls lie over the plot in the picture; these stand under it.
    var play = document.getElementById("play");
    var position = document.getElementById("position");
    var clock = document.getElementById("clock");
    var full = document.getElementById("full");
    clip.controls = false;
    document.getElementById("seek").hidden = false;

    function toggle() { if (clip.paused) { clip.play(); } else { clip.pause(); } }
    function refresh() {
      position.max = String(clip.duration || 1);
      position.value = String(clip.currentTime);
      clock.textContent = clip.currentTime.toFixed(2) + " s";
      play.textContent = clip.paused ? "Play" : "Pause";
    }
    function follow() { refresh(); if (!clip.paused) { window.requestAnimationFrame(follow); } }

    play.addEventListener("click", toggle);
    clip.addEventListener("click", toggle);
    position.addEventListener("input", function () { clip.pause(); clip.currentTime = Number(position.value); });
    full.addEventListener("click", function () {
      if (clip.requestFullscreen) { clip.requestFullscreen(); } else if (clip.webkitEnterFullscreen) { clip.webkitEnterFullscreen(); }
    });
    ["loadedmetadata", "seeked", "pause", "timeupdate"].forEach(function (name) { clip.addEventListener(name, refresh); });
    clip.addEventListener("play", follow);
    refresh();
  }

  jumps.forEach(function (button) {
    button.addEventListener("click", function () { show(Number(button.dataset.time) + half); });
  });
  document.querySelectorAll(".step").forEach(function (button) {
    button.addEventListener("click", function () {
      show(Math.max(0, clip.currentTime + Number(button.dataset.frames) / Number(clip.dataset.rate)));
    });
  });
  rates.forEach(function (button) {
    button.addEventListener("click", function () {
      clip.playbackRate = Number(button.dataset.rate);
      rates.forEach(function (other) { other.setAttribute("aria-pressed", String(other === button)); });
    });
  });
  clip.addEventListener("timeupdate", markHere);
  clip.addEventListener("seeked", markHere);
  playFromMemory();
  addControls();
}());
