"""What a coach that has only a video must never say, in English and Chinese; and which questions call for a doctor."""

import re

_NOT = r"(?:not|n't|never|no|without|cannot|don't|avoid|別|别|不|勿|沒|没|無|无)"

_BODY = r"back|lower back|spine|knees?|shoulders?|elbows?|wrists?|hips?|ankles?|neck|joints?|discs?"
_BODY_ZH = r"肩膀?|膝蓋?|膝盖|腰|下背|背部|手肘|肘|手腕|腕|髖|髋|腳踝|脚踝|脖子|身體|身体|關節|关节|脊椎|脊柱"

_FORBIDDEN: dict[str, tuple[str, ...]] = {
    "diagnosis": (
        r"\b(?:herniat\w*|bulging|slipped|prolapsed|ruptured)\s+(?:spinal\s+)?dis[ck]s?|\bdis[ck]s? (?:is|are|has|looks?) \w+",
        r"\bherniat\w*|tend[oi]n(?:itis|opathy|osis)|bursitis|arthriti\w*|sciatica|impingement|scoliosis|\w+ syndrome\b",
        r"\b(?:torn|tore|tear(?:ing)?|ruptur\w+|strain(?:ed)?|sprain\w*|dislocat\w+|fractur\w+)\b.{0,30}\b(?:muscle|ligament|tendon|"
        r"labrum|meniscus|cuff|acl|mcl|hamstring|quad\w*|pec\w*|biceps|shoulder|knee|back|hip|wrist|elbow|ankle)",
        r"\b(?:muscle|ligament|tendon|labrum|meniscus|cuff|acl|hamstring|shoulder|knee|back|hip|wrist|elbow)\b.{0,20}"
        r"\b(?:is|are|looks?|has been|seems?|have)\s+(?:\w+\s+)?(?:torn|strained|sprained|inflamed|damaged|injured|ruptured)",
        r"\b(?:you|he|she|this lifter|athlete)\s+(?:\w+\s+)?(?:suffers?|have|has|got)\s+(?:from\s+)?(?:an?\s+)?(?:\w+\s+)?"
        r"(?:injury|condition|disease|pathology|deformity|disorder)",
        r"\bdiagnos\w+|\bpatholog\w+",
        r"(?:椎間盤|椎间盘).{0,4}(?:突出|膨出|脫出|脱出|破裂)|肌腱炎|腱鞘炎|滑囊炎|關節炎|关节炎|坐骨神經|坐骨神经|脊椎?側彎|脊柱侧弯",
        r"(?:肌肉|韌帶|韧带|肌腱|半月板|旋轉肌|肩袖|盂唇|十字).{0,6}(?:拉傷|拉伤|撕裂|斷裂|断裂|發炎|发炎|受損|受损)|(?:拉傷|拉伤|扭傷|扭伤|骨折|脫臼|脱臼|夾擠|撞击综合)",
        r"\b(?:cartilage|tendons?|ligaments?|nerves?|vertebra\w*|muscle fib(?:er|re)s?|impinge\w*|winging|asleep|swell\w*|swollen)\b|軟骨|软骨|磨損|磨损|韌帶|韧带|肌腱|神經|神经",
        rf"\byou(?:r|(?: may| might| probably)? have| got)\s+(?:\w+\s+)?(?:weak|stiff|bad|unstable|crooked)\s+(?:\w+\s+)?(?:{_BODY}|glutes?|quads?|hamstrings?|adductors?|core|legs?|arms?)\b|\badductors?\b|(?:肩胛|足底)",
        r"\bscar tissue\b|\bnerve (?:damage|injury|problem)s?\b|\b(?:patella|kneecap)\b|網球肘|网球肘|高爾夫球肘|高尔夫球肘|骨盆前[傾倾]|圓肩|圆肩|"
        r"(?:扭|閃|闪)到|炎(?!熱|热|夏|炎)",
        r"\b(?:glutes?|quads?|hamstrings?|lats?|core|muscles?)\s+(?:is|are|isn't|aren't|do|does|don't|doesn't)\s+(?:not\s+)?(?:\w+\s+)?"
        r"(?:fir\w+|activ\w+|engag\w+|work\w*|tight\w*|weak\w*)\b|(?:臀|肌|股四頭|股四头|核心).{0,6}(?:啟動|启动|激活|活化|太弱|太緊|太紧)",
        r"診斷|诊断|你(?:有|患有|得了).{0,8}(?:症|炎|病|損傷|损伤)",
        r"\b(?:rotator cuff|labr(?:um|al)|menisc\w+|acl|mcl|pinched nerve|mri|x-?rays?)\b|\b(?:jumper|runner)'?s knee\b|\b(?:tennis|golfer'?s) elbow\b",
        rf"\bsuffer\w* from\b|\byour\s+(?:\w+\s+)?(?:{_BODY}|quads?|glutes?|hamstrings?|core|muscles?)\s+(?:is|are|looks?|seems?)\s+(?:\w+\s+)?"
        r"(?:weak\w*|tight\w*|imbalanced|unstable|stiff\w*|worn)\b",
        rf"症候群|[综綜]合[征徵症]|(?:{_BODY_ZH}|韌帶|韧带|肌腱|肌群|肌肉|椎).{{0,8}}(?:發炎|发炎|撕裂|拉傷|拉伤|損傷|损伤|退化|不穩定|不稳定|沾黏|粘连)",
    ),
    "injury prediction": (
        r"\binjur(?:y|ies|e|ed|es|ing|ious)\b|\b(?:hurt|wreck|ruin|destroy|damage|blow out|snap|break|wear out)\w*\s+(?:your|the|his|her)\s+"
        r"(?:\w+\s+)?(?:back|knees?|shoulders?|spine|wrists?|elbows?|hips?|neck|discs?|joints?|body)",
        r"\bdangerous\b|\bwill (?:get )?hurt\b",
        rf"\bget(?:s|ting)?\s+hurt\b|\bputs?\b.{{0,40}}\bat risk\b|\brisks? (?:of|to) (?:your|the|an?)\s+(?:{_BODY})\b|\bpay for (?:it|this|that)\b",
        rf"\baccident waiting\b|\b(?:{_BODY})\s+takes? (?:a|the) (?:beating|hit|hammering)\b",
        rf"\b(?:{_BODY})\s+(?:will|won't|is going to|are going to|cannot|can't)\s+(?:\w+\s+)?(?:give out|survive|hate|go|suffer|fail|break|hurt|thank|last|take it|hold up)\b",
        rf"\brisk(?:s|ing)?\s+(?:\w+\s+)?(?:tear|hurt|injur|damag|break|snap)\w*|\b(?:hard|tough|rough|bad|good|kind|easy)\s+(?:on|for)\s+(?:your|the)\s+(?:{_BODY})\b",
        rf"\b(?:wreck|ruin|destroy|damage|blow out)\w*\s+(?:{_BODY})\b|\bnothing bad can happen\b",
        rf"(?:傷|伤)(?:到|及|膝|腰|背|肩|身)|(?:對|对)(?:你的)?(?:{_BODY_ZH}).{{0,3}}(?:不好|負擔|负担|有害|很壞|很坏|很好)",
        rf"\b(?:harm|wreck|ruin|squash|snap|kill|trash|crush)\w*\s+(?:\w+\s+)?(?:{_BODY})\b|\b(?:{_BODY})\s+(?:\w+\s+)?(?:gets?|are|is|being|be)\s+(?:\w+\s+)?(?:wrecked|ruined|squashed|crushed|harmed|trashed)\b",
        rf"(?:對|对)(?:你的)?(?:{_BODY_ZH}).{{0,3}}(?:傷|伤)|(?:{_BODY_ZH}).{{0,4}}被(?:壓|压|擠|挤)",
        rf"付出代價|付出代价|(?:{_BODY_ZH}).{{0,6}}(?:壞掉|坏掉|出問題|出问题|報銷|报销|受不了|撐不住|撑不住|出事)",
        r"受傷|受伤|傷害|伤害|(?:弄|練|练|拉|舉|举|閃|闪)(?:傷|伤|壞|坏|斷|断)|危險|危险",
    ),
    "safe": (
        r"(?:一點|一点|零|毫無|毫无|沒什麼|没什么).{0,2}(?:風險|风险|危險|危险)|\b(?:no|zero|without) (?:any )?(?:risk|danger)\b",
        r"\b(?:is|are|was|were|looks?|seems?|stays?|perfectly|completely|totally|quite|very|absolutely)\s+(?:\w+\s+)?safe\b",
        r"\bsafe\s+(?:lift|technique|to\b|for\b|position|form|weight|load)|\brisk[- ]free\b|\bsafely\b|\bharmless\b",
        r"(?:很|是|都|非常|十分|完全|絕對|绝对|相當|相当)安全|安全的(?:動作|动作|舉|举|重量|技術|技术)|沒有(?:任何)?(?:風險|危險)|没有(?:任何)?(?:风险|危险)|無風險|无风险",
    ),
    "through pain": (
        r"\bwalk it off\b|\bshake it off\b|\b(?:ice|tape|strap|wrap|massage|stretch|foam[- ]?roll)\w*\s+(?:it|your)\b|\b(?:cream|ointment|balm|ice pack|heat pack)\b",
        r"(?:擦|塗|涂|抹).{0,3}(?:藥|药|膏)|(?:貼|贴).{0,3}(?:肌貼|肌贴|藥布|药布|膏藥|膏药)|冰敷|熱敷|热敷|按摩|忍(?:一下|著|着|住|過|过)",
        r"\b(?:train|lift|work|push|go|play|power|fight|keep going|continue|carry on|squat|pull)\w*\s+(?:right\s+)?"
        r"(?:through|despite|past|with|over)\s+(?:\w+\s+)?(?:pain|ache|hurt|discomfort|soreness|injury)",
        r"\b(?:ignore|forget|disregard|don't (?:mind|worry about)|never mind)\s+(?:about\s+)?(?:\w+\s+)?(?:pain|ache|discomfort|hurting)|no pain,? no gain",
        r"\b(?:pain|aches?|soreness|discomfort|numbness|tingling)\s+(?:\w+\s+){0,3}(?:is|are)\s+(?:\w+\s+)?(?:normal|fine|ok(?:ay)?|part|nothing|good|expected|harmless)\b",
        r"(?:痛|疼|麻|痠|酸).{0,5}(?:正常|沒關係|没关系|不用管|別管|别管|不要緊|不要紧|沒事|没事|不用理)|(?:痠|酸|痛|疼)[痛疼]?.{0,2}忍",
        r"(?:忍|撐|撑|頂|顶|熬)(?:著|着|住|過|过|一下)?.{0,3}(?:痛|疼)|(?:不管|忽略|無視|无视|別管|别管|不用理).{0,4}(?:痛|疼)|(?:帶|带)(?:著|着)?(?:傷|伤|痛)|(?:痛|疼)也(?:要)?(?:繼續|继续|撐|撑|練|练)",
    ),
    "maximum": (
        r"\b(?:max(?:ed)?|maxing) out\b|\b(?:attempt|try|go|aim|hit|test|chase|pull|set)\s+(?:(?:a|an|your|the|for|at)\s+)*(?:new\s+)?"
        r"(?:max\w*|one[- ]rep\w*|1\s?rm|pr|pb|personal (?:best|record))\b|\badd (?:more )?(?:weight|load|kilos|plates)\b",
        r"\bload(?:ing)? up the bar\b|\b(?:more|another|extra) plates?\b|(?:多|再)?(?:放|加|上)(?:幾|几|兩|两|一)?(?:片|塊|块)?槓片|(?:多|再)?(?:放|加|上)(?:几|两|一)?(?:片|块)?杠片",
        r"\bgo(?:ing)? heavier\b|\bmore (?:kilos?|kg|weight|plates?) on\b|\bput\b.{0,20}\b(?:kilos?|kg|plates?) on\b|(?:新|破)(?:的)?(?:紀錄|纪录)",
        r"(?:挑戰|挑战|衝|冲|試|试|測|测)(?:一下)?(?:你的|新的)?(?:最大重量|極限|极限|個人最佳|个人最佳|PR|1RM)|(?:直接|再|可以)加(?:重|重量|磅|公斤)",
    ),
    "spine load": (
        r"\b(?:spin(?:e|al)|lumbar|vertebra\w*|dis[ck]s?|l[345]\s*[-/]?\s*(?:l5|s1)|lower[- ]back|low[- ]back)\b.{0,40}"
        r"\b(?:compress\w*|loads?|loading|over-?load\w*|shear\w*|forces?|newtons?|kn|pressure|stress|moment|torque)\b",
        r"\b(?:compress\w*|shear\w*|pressure|stress|forces?|load)\s+(?:\w+\s+){0,4}(?:spin(?:e|al)|lumbar|vertebra\w*|dis[ck]s?|l[45]|lower[- ]back)\b",
        rf"\b(?:pressure|stress|strain|loads?|forces?)\s+(?:\w+\s+)?(?:on|through|in|onto)\s+(?:your|the)\s+(?:\w+\s+)?(?:{_BODY})\b|(?:{_BODY_ZH}).{{0,3}}(?:壓力|压力|負荷|负荷|受力)",
        r"(?:脊椎|脊柱|腰椎|椎間盤|椎间盘|下背|腰部).{0,12}(?:壓力|压力|負荷|负荷|負擔|负担|壓縮|压缩|剪力|剪切|受力|力矩|牛)",
        r"(?:壓迫|压迫|擠壓|挤压).{0,6}(?:脊椎|脊柱|腰椎|椎間盤|椎间盘)",
    ),
    "left and right": (
        r"\b(?:left|right)\s+(?:leg|foot|side|quad\w*|glute\w*|knee|hip)\b.{0,40}\b(?:work|dominant|compensat\w+|lazy|forces?|newtons?|harder|stronger|weaker|loads?|loaded|power|"
        r"percent|push(?:es|ed|ing)?|carr(?:y|ies|ied)|weight)\b|\b(?:forces?|load|weight|push(?:es|ed)?)\b.{0,30}\b(?:left|right)\s+(?:leg|foot)\b",
        r"(?:左|右)(?:邊|边|側|侧)?(?:腿|腳|脚|膝|臀|髖|髋).{0,12}(?:力|負荷|负荷|負擔|负担|代償|代偿|承受|牛|多用|用得|較強|较强|較弱|较弱|比較強|比較弱|比较强|比较弱)",
        r"\b(?:shift|lean|weight|favou?r)\w*\s+(?:\w+\s+){0,4}(?:left|right)\b(?! (?:hand|end|plate))|重心.{0,4}(?:左|右)(?:腿|腳|脚|邊|边|側|侧)",
        r"\b(?:left|right) (?:glute|quad|hamstring|calf|hip flexor|adductor|lat)s?\b|左右(?:腿|腳|脚|手|邊|边|側|侧)?.{0,4}(?:出力|力量|用力|施力)|不平均|不均衡",
        r"\b(?:left|right) side (?:is|was|works|looks)\s+(?:\w+\s+)?(?:stronger|weaker|dominant|better)|(?:左|右)(?:邊|边|側|侧).{0,4}(?:有力|較強|较强|較弱|较弱|用力)",
        r"\bmuscle (?:force|activation)s?\b|肌肉(?:力量|出力|受力)(?:是|為|为|達|达)",
    ),
    "referee": (
        r"\bno[- ]lift(?:ed)?\b(?! (?:was|is) (?:found|there|measured))|\b(?:disqualif\w+|red[- ]light(?:ed|s)?|white[- ]lights?)\b(?<!may draw a red light)",
        r"\b(?:referees?|refs?|judges?|jury|officials?)\s+(?:\w+\s+)?(?:will|would|should|must|has to|have to|are going to|is going to|gives?|gave|passe[sd]|"
        r"turn(?:s|ed)? (?:it )?down|rejects?|rejected|counts?|counted|accepts?|accepted|calls?|called)\b",
        r"\b(?:valid|legal|illegal|invalid|good)\s+(?:lift|attempt)\b|\bwould (?:not )?(?:count|pass)\b|\b(?:breaks?|violat\w+|against) the rules?\b",
        r"\b(?:lift|attempt|rep|one|it|this|that)\s+(?:is|was|would be|will be|counts? as|stands? as)\s+(?:\w+\s+)?(?:valid|invalid|legal|illegal|successful|failed|no[- ]lift)\b",
        r"\bno[- ]reps?\b|\bthree[- ](?:white|red)s?\b|\bby the rule ?book\b|\bwould(?: not|n't)? stand\b|\blost this one\b|\b(?:successful|valid|failed) (?:lift|attempt|rep)\b|\bdisallow\w*|\b(?:be|gets?|been|is|was)\s+(?:turned down|ruled out|overturned|red-lighted|waved off)\b",
        r"\b(?:in|at) (?:a |the )?(?:meets?|competitions?|contests?)\b.{0,30}\b(?:counts?|pass(?:es)?|fails?|valid|allowed|good|given)\b|\bdoes not count\b",
        r"(?:裁判|評審|评审).{0,4}(?:會|会|將|将|一定|應該|应该|判|給|给|亮)(?!注意|看)|(?:試舉|试举)(?:成功|失敗|失败|無效|无效|有效)|(?:白燈|白灯|紅燈|红灯)|犯規|犯规|違規|违规|判(?:失敗|失败|成功|無效|无效)",
        r"\bcosts? you the (?:lift|attempt)\b|\bgood enough for\b.{0,15}\b(?:judges?|refs?|referees?|whites?)\b|(?:這樣|这样)不(?:會|会)(?:過|过)|(?:這|这)一?(?:下|把|舉|举|次)(?:是|算)(?:成功|失敗|失败)",
        r"判.{0,2}推肘|取消資格|取消资格|(?:成功|失敗|失败|有效|無效|无效)的(?:試舉|试举)|(?:這|这)(?:一)?(?:把|舉|举|次)(?:過不了|过不了|不會過|不会过|會過|会过|能過|能过)|(?:不|是|算)合格",
        r"裁判.{0,6}(?:取消|不給|不给|給過|给过|過關|过关|通過|通过)|(?:照|依|按|根據|根据)(?:照|據|据)?.{0,3}(?:規則|规则)|(?:是|算|判|被判)(?:有效|無效|无效)",
        r"(?:比賽|比赛|賽場|赛场).{0,8}(?:不算|算數|算数|失敗|失败|成功|有效|無效|无效|過關|过关)|這(?:一)?(?:把|舉|次)(?:不算|算失敗|算成功)|这(?:一)?(?:把|举|次)(?:不算|算失败|算成功)",
    ),
    "body": (
        r"\b(?:lose|losing|gain|gaining|cut|cutting|drop)\s+(?:some\s+|a few\s+)?(?:body\s?)?(?:weight|fat|kilos|pounds)\b|\bbody[- ]?(?:fat|shape|type|weight|image)\b",
        r"\b(?:overweight|underweight|obese|chubby|skinny|fat|physique|weight class|weight[- ]cut\w*|diet(?:ing)?|calorie\w*)\b",
        r"\byour\s+(?:\w+\s+)?(?:femurs?|torso|legs|arms|limbs|build|frame|proportions?)\s+(?:is|are)\s+(?:too\s+)?(?:short|long|heavy|thick|thin|big|small)\b",
        r"\b(?:shed|carry|carrying)\s+(?:\w+\s+){0,2}(?:weight|kilos?|pounds?|fat)\b|\b(?:someone|people|lifters?|athletes?) with your (?:body|build|height|age)\b|瘦(?:一點|一点|下來|下来|身)|(?:變|变)瘦",
        r"\byou(?:'re| are) (?:\w+ )?too (?:tall|short|heavy|light|old|young|big|small)\b|你太(?:高|矮|重|輕|轻|老|大|小)",
        r"(?:減|减|瘦)(?:掉|個|个)?.{0,3}(?:公斤|斤|磅)|減重|减重|減肥|减肥|增重|體脂|体脂|體重|体重|太胖|太瘦|偏胖|偏瘦|肥胖|身材|體型|体型|體態|体态|量級|量级|飲食|饮食|節食|节食|(?:腿|手|軀幹|躯干|身體|身体)(?:太|比較|比较|偏)(?:長|长|短|粗|細|细)",
    ),
    "drugs": (
        r"\b(?:steroid\w*|anabolic\w*|testosterone|doping|dope|sarms?|creatine|supplement\w*|pre[- ]?workout|caffeine|pain\s?killers?|ibuprofen|"
        r"aspirin|paracetamol|acetaminophen|nsaids?|naproxen|medicat\w+|medicine|cortisone|growth hormone|epo|hgh|protein powder|injections?)\b",
        r"類固醇|类固醇|禁藥|禁药|興奮劑|兴奋剂|止痛|消炎藥|消炎药|肌酸|補充劑|补充剂|補劑|补剂|布洛芬|普拿疼|睪固酮|睾酮|藥物|药物|吃藥|吃药|打針|打针|咖啡因|乳清|生長激素|生长激素",
    ),
    "champion": (
        r"\b(?:world|olympic|national|european|asian)\s+(?:champion\w*|record\w*|medal\w*|class)\b|\bchampions?\b|\bolympians?\b|\bgold[- ]medal\w*",
        r"\b(?:like|as|than|compared? (?:to|with)|unlike|match(?:es)?)\s+(?:an?\s+|the\s+|other\s+|top\s+|most\s+)*(?:elite|pros?|professional|world|top|best|olympic)\s*\w*",
        r"\belite (?:lifters?|athletes?|men|women|norm|standard|range|level)\b",
        r"\b(?:chinese|russian|bulgarian) (?:team|squad|lifters?)\b|\b(?:national|olympic) (?:team|squad)\b|(?:國家隊|国家队)",
        r"冠軍|冠军|世界紀錄|世界纪录|奧運|奥运|國手|国手|金牌|世界級|世界级|頂尖選手|顶尖选手|頂級選手|顶级选手|優秀選手的(?:標準|平均)|优秀选手的(?:标准|平均)|呂小軍|吕小军|\b(?:lu xiaojun|ilya ilyin|shi zhiyong|klokov|pyrros dimas|suleymanoglu|talakhadze|tian tao|kuo hsing-chun)\b|石智勇|郭婞淳",
    ),
    "clearance": (
        r"\bclear(?:ed)?\s+(?:you\s+)?(?:for|to)\s+(?:train\w*|lift\w*|compet\w+|sport\w*|return)|\breturn[- ]to[- ](?:sport|play|lifting|training|competition)\b",
        r"\b(?:ready|fit|fine|ok(?:ay)?|able)\s+to\s+(?:return|resume|compete|come back|go back|start again)|\b(?:can|may)\s+(?:train|lift|compete|return|resume)\s+again\b",
        r"(?:可以|能|准許|准许)(?:恢復|恢复|重返|回到|復出|复出|重新)(?:訓練|训练|比賽|比赛|賽場|赛场|舉重|举重)?|重返賽場|重返赛场|已經(?:康復|復原|痊癒)|已经(?:康复|复原|痊愈)",
    ),
}
_COMPILED = [(kind, re.compile("|".join(f"(?:{p})" for p in patterns), re.I)) for kind, patterns in _FORBIDDEN.items()]
_MAY_BE_DENIED = {"through pain", "maximum", "body"}  # "do not lift through pain" is what should be said

_ALARM = re.compile(
    r"\bpain(?!t)(?:s|ful|fully)?\b|\bhurt(?:s|ing)?\b|\bach(?:e|es|ing|y)\b|\bsore(?:ness)?\b|\bnumb(?:ness)?\b|\btingl\w*|\bpins and needles\b|"
    r"\bdizz\w*|\blight-?headed\w*|\bfaint(?:ed|ing|s)?\b|\bblack(?:ed)? ?out\b|\bpass(?:ed|ing)? out\b|\bvertigo\b|"
    r"\bchest (?:pain|tight\w*|pressure|discomfort)|\btight(?:ness)? in (?:my|the) chest|\bheart (?:racing|palpitat\w*|flutter\w*)|\bpalpitations?\b|"
    r"\bshort(?:ness)? of breath\b|\bcan(?:'t|not) breathe\b|\bpregnan\w*|\bpost-?partum\b|\bmiscarr\w*|\bcontractions?\b(?=.{0,20}(?:baby|week|min))|c-section|cesarean|caesarean|\btrimester\b|\bexpecting a (?:baby|child)|\bweeks along\b|"
    r"\bsurger(?:y|ies)\b|\bsurgical\w*|\boperated on\b|\b(?:had|after|since|from) (?:an? |my |the )?(?:\w+ )?operation\b|\bpost-?op\w*|\bstitches\b|\bconcuss\w*|"
    r"\binjur(?:y|ed|ies)\b|\bswell(?:ing|ed)?\b|\bswollen\b|\bsprain\w*|\bstrained\b|\btorn\b|\btore\b|\b(?:something|shoulder|knee|back|elbow|wrist|hip|neck|ankle)\s+popped\b|\bpop in my\b|\bpinch(?:ed|ing)\b|\bbleed\w*|"
    r"\bburning (?:sensation|feeling)|\bshooting (?:down|up|sensation)|\btweak(?:ed)?\b|\bthrob\w*|\bherniat\w*|\bhernia\b|\bsciatica\b|\bnause\w*|\bvomit\w*|\bthr(?:ew|ow(?:ing)?) up\b|\bseizures?\b|\bheart (?:attack|condition|problem)|\bblurr(?:y|ed) vision|\bdislocat\w*|\bfractur\w*|\bbroken (?:arm|wrist|leg|rib|bone|foot|hand|ankle|collarbone)|\brehab\w*|\bphysio\w*|\b(?:acl|meniscus|labrum|rotator cuff)\b|\bdis[ck] (?:bulge|injury|problem)|\bbulging dis[ck]|\blost (?:feeling|strength|sensation)|\b(?:arm|leg|hand|foot) (?:went|is|goes) (?:dead|weak|limp)|"
    r"痛(?!快)|疼|酸軟|刺刺|麻(?!煩|烦)|暈|晕|頭昏|头昏|昏倒|昏厥|眼前發黑|眼前发黑|胸悶|胸闷|胸口|心悸|喘不過氣|喘不过气|呼吸困難|呼吸困难|懷孕|怀孕|孕婦|孕妇|孕期|產後|产后|早產|"
    r"開刀|开刀|手術|手术|術後|术后|受傷|受伤|拉傷|拉伤|扭傷|扭伤|閃到|闪到|腫|肿|撕裂|骨折|腦震盪|脑震荡|不舒服|失去知覺|失去知觉|沒知覺|没知觉|流血|出血|噁心|恶心|想吐|嘔吐|呕吐|視線模糊|视线模糊|剖腹|流產|流产|疝氣|疝气|復健|复健|康復中|康复中|脫臼|脱臼|椎間盤突出|椎间盘突出|抽筋|無力|无力",
    re.I,
)
_CHEST = re.compile(r"胸口(?![痛疼悶闷])")  # where a clean is caught
_SENDS = re.compile(
    r"\bstop|\b(?:seek|get) help\b|\btake (?:some )?load off\b|\b(?:doctor|physician|physio\w*|medical|professional|emergency)\b|\b(?:not|n't|never)\s+(?:\w+\s+)?(?:lift|train|go on|push|continue|squat|pull|use|force)"
    r"|停|醫|医|治療師|治疗师|(?:不要|別|别|不可|不能|勿).{0,6}(?:練|练|舉|举|拉|撐|撑|忍|繼續|继续)",
    re.I,
)


def forbidden_claim(text: str) -> str | None:
    """Return the kind of claim in a normalised sentence that no video can support, or None.

    A sentence about pain and the like may only stop the athlete or send for help: everything else is `health`.
    """
    for kind, pattern in _COMPILED:
        for match in pattern.finditer(text):
            if kind in _MAY_BE_DENIED and is_denied(text[: match.start()]):
                continue
            return kind
    return "health" if _ALARM.search(_CHEST.sub("", text)) and not _SENDS.search(text) else None


def is_denied(before: str) -> bool:
    """Return whether the words just before a claim, in the same clause, deny it."""
    clause = re.split(r"[,.;:!?，。；：！？]|\bbut\b|但", before)[-1]
    return (
        re.search(rf"(?:\b|(?<=\w)){_NOT}\W*(?:[a-zA-Z']+\W+){{0,4}}$|{_NOT}[^a-zA-Z]{{0,8}}$", clause, re.I)
        is not None
    )


def needs_referral(question: str) -> bool:
    """Return whether a normalised question speaks of pain or another reason to see a doctor first."""
    return _ALARM.search(question) is not None
