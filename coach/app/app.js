// The video goes where a claim, a key frame, an instant, a measure or a point of a plot says; no network, no library.
(function () {
  "use strict";
  function clip() { return document.getElementById("clip"); }
  function half() { return 0.45 / Number((clip() && clip().dataset.rate) || 30); }

  function show(time) {
    var video = clip();
    if (!video || !isFinite(time)) { return; }
    video.pause();
    video.currentTime = time + half();  // a frame is shown from its time on
    var box = video.getBoundingClientRect();
    if (box.top < 0 || box.bottom > window.innerHeight) { video.scrollIntoView({ block: "start", behavior: "smooth" }); }
  }

  function refresh() {
    var video = clip();
    if (!video) { return; }
    var player = video.closest(".player");
    if (!player) { return; }
    var position = player.querySelector(".position");
    if (isFinite(video.duration)) { position.max = String(video.duration); }
    position.value = String(video.currentTime);
    player.querySelector(".clock").textContent = video.currentTime.toFixed(2) + " s";
    player.querySelector(".play").textContent = video.paused ? "Play" : "Pause";
    document.querySelectorAll(".jump").forEach(function (one) {
      one.classList.toggle("is-here", Math.abs(Number(one.dataset.time) + half() - video.currentTime) < half());
    });
  }
  function follow() { refresh(); if (clip() && !clip().paused) { window.requestAnimationFrame(follow); } }

  function act(button) {
    var video = clip();
    if (!video) { return; }
    if (button.dataset.act === "play") { if (video.paused) { video.play(); } else { video.pause(); } }
    if (button.dataset.act === "step") { video.pause(); video.currentTime = Math.max(0, video.currentTime + Number(button.dataset.frames) / Number(video.dataset.rate)); }
    if (button.dataset.act === "rate") {
      video.playbackRate = Number(button.dataset.rate);
      button.parentElement.querySelectorAll("[data-act=rate]").forEach(function (other) { other.setAttribute("aria-pressed", String(other === button)); });
    }
    if (button.dataset.act === "full") {
      if (video.requestFullscreen) { video.requestFullscreen(); } else if (video.webkitEnterFullscreen) { video.webkitEnterFullscreen(); }
    }
  }

  document.addEventListener("click", function (event) {
    var link = event.target.closest('a[href*="#t="]');
    if (link) { event.preventDefault(); event.stopPropagation(); show(Number(link.getAttribute("href").split("#t=")[1])); return; }
    var jump = event.target.closest(".jump");
    if (jump) { show(Number(jump.dataset.time)); return; }
    var button = event.target.closest(".act");
    if (button) { act(button); return; }
    if (event.target.id === "clip") { act({ dataset: { act: "play" } }); }
  }, true);
  document.addEventListener("keydown", function (event) {
    var jump = event.target.closest && event.target.closest(".jump[role=button]");
    if (jump && (event.key === "Enter" || event.key === " ")) { event.preventDefault(); show(Number(jump.dataset.time)); }
  });
  document.addEventListener("input", function (event) {
    if (event.target.classList.contains("position") && clip()) { clip().pause(); clip().currentTime = Number(event.target.value); }
  });
  ["loadedmetadata", "seeked", "pause", "timeupdate", "play"].forEach(function (name) {
    // Events of a video do not bubble, so they are caught on the way down.
    document.addEventListener(name, function (event) { if (event.target.id === "clip") { if (name === "play") { follow(); } else { refresh(); } } }, true);
  });

  function listenToPlots() {
    document.querySelectorAll(".js-plotly-plot").forEach(function (plot) {
      if (plot.dataset.heard || !plot.on) { return; }
      plot.dataset.heard = "yes";
      plot.on("plotly_click", function (data) {
        var point = data.points[0];
        show(Number(point.customdata ? point.customdata[0] : point.x));
      });
    });
  }
  new MutationObserver(listenToPlots).observe(document.documentElement, { childList: true, subtree: true });
}());
