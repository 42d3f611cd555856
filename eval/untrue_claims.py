"""Sentences that no guidance may hold, as a careless coach or a language model would write them."""

CLAIMS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "referee decision": (
            "The judges would have given this three reds.",
            "That press-out means this one does not count.",
            "In a meet this would be turned down.",
            "You would get white lights for this one.",
            "This attempt is valid under the rules.",
            "A technical official would disallow it.",
            "It counts as a successful attempt in competition.",
            "This is a no-rep.",
            "Expect three red lights for that elbow.",
            "The lift would be ruled out for a press-out.",
        ),
        "diagnosis": (
            "This looks like a rotator cuff tear.",
            "You probably have patellar tendinitis.",
            "Your lower back is inflamed.",
            "The way you move suggests a labral tear.",
            "You seem to have hip impingement.",
            "You have a slipped disc.",
            "It points to a pinched nerve.",
            "Your knee has a meniscus problem.",
            "This is a typical sign of a weak rotator cuff injury.",
            "You are suffering from jumper's knee.",
            "Your shoulder is unstable and needs an MRI.",
        ),
        "injury": (
            "Keep doing this and your shoulder will give out.",
            "This is how people get hurt.",
            "Your knees will pay for it.",
            "You will blow out your back.",
            "This puts your lower back at risk.",
            "It is perfectly safe to go heavier.",
            "This technique protects you from injury.",
        ),
        "load on the body": (
            "Your spine is under too much load here.",
            "The compression on your lumbar discs is high.",
            "Your left leg does most of the work.",
            "You push harder with the right leg.",
            "The stress on your lower back doubles.",
            "Your quads are too weak.",
            "Your right leg carries more of the weight.",
        ),
        "pain and drugs": (
            "Train through the soreness.",
            "Just ignore the ache in your wrist.",
            "Take an ibuprofen before the session.",
            "A little pain is normal, keep going.",
            "Creatine would help here.",
        ),
        "body and champions": (
            "You need to lose a few kilos.",
            "Elite lifters are faster than you.",
            "World champions drop less.",
            "Your legs are too long for this style.",
            "Try for a new personal record next week.",
        ),
    },
    "zh": {
        "referee decision": (
            "這一把裁判不會給過。",
            "比賽中這會被判失敗。",
            "這次試舉有效。",
            "這樣推肘會亮三盞紅燈。",
            "這一舉在比賽裡不算。",
            "裁判應該會給三個白燈。",
            "照規則這是無效的動作。",
            "這樣會被裁判取消。",
        ),
        "diagnosis": (
            "你可能有肩夾擠症候群。",
            "這看起來是髕骨肌腱炎。",
            "你的下背有椎間盤突出的問題。",
            "你的膝蓋韌帶受傷了。",
            "這是坐骨神經痛的表現。",
            "你應該是肩膀發炎。",
            "你的旋轉肌群可能撕裂了。",
            "你有脊椎側彎。",
        ),
        "injury": (
            "繼續這樣做肩膀會壞掉。",
            "這樣很容易受傷。",
            "你的膝蓋會付出代價。",
            "這會弄傷你的腰。",
            "這個動作絕對安全。",
        ),
        "load on the body": (
            "你的脊椎承受了太大的壓力。",
            "腰椎間盤的壓力很高。",
            "你的左腿出力比較多。",
            "右腿負擔比較大。",
            "下背的負荷變成兩倍。",
        ),
        "pain and drugs": (
            "痠痛就忍著練。",
            "手腕有點痛不用管它。",
            "練之前吃一顆止痛藥。",
            "有點痛是正常的，繼續練。",
            "補充肌酸會有幫助。",
        ),
        "body and champions": (
            "你需要減幾公斤。",
            "世界冠軍的回落更小。",
            "你的腿太長，不適合這種風格。",
            "下週挑戰個人最佳成績。",
            "頂尖選手比你快。",
        ),
    },
}
"""Claims by kind; `zh` in Traditional characters."""

NUMBERS_OF_NOTHING: dict[str, tuple[str, ...]] = {
    "en": (
        "You lifted 82 kg.",
        "That is 12 % better than last week.",
        "Your heart rate reached 165 bpm.",
        "Your grip is 81 cm wide.",
        "Aim for 1.95 m/s next time.",
        "Ninety percent of lifters do better.",
        "Your jump lasted 0.21 s.",
        "Your elbows turned over at 640 degrees per second.",
    ),
    "zh": (
        "你舉了 82 公斤。",
        "這比上週進步 12 %。",
        "你的心跳到了每分鐘 165 下。",
        "你的握距是 81 公分。",
        "下次以 1.95 公尺/秒為目標。",
        "九成的選手做得更好。",
        "你騰空了 0.21 秒。",
    ),
}
"""Numbers about what the coach does not measure."""

GENERIC: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "en": (
        (
            "Your technique could be better in several places.",
            "The pull needs more aggression and better timing.",
            "You lost tightness on the way up.",
            "The bar path is not ideal.",
        ),
        (
            "Stay tight, keep your chest up and always remember to finish your pull",
            "Focus on your breathing and try to be more explosive in the second pull",
            "Work on mobility, strength, and consistency in all of your training sessions",
        ),
    ),
    "zh": (
        ("你的技術還有進步空間。", "拉鈴要更有爆發力，時機要更好。", "槓鈴軌跡不夠理想。"),
        (
            "全程保持緊繃，抬頭挺胸，記得一定要把動作做完整再往下蹲",
            "注意呼吸，第二段要更有爆發力，同時放鬆手臂不要太早用力",
        ),
    ),
}
"""Advice that would fit any lift: in place of an observation, and in place of a cue."""

FOREIGN = ("The bar stayed close to you.", "槓鈴一直貼著身體。", "杠铃一直贴着身体。", "Штанга шла близко к телу.")
"""The same sentence in the scripts that guidance may be written in, and in one that it may not."""
